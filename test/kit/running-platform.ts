import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type GraphClient, graphClient } from '@opea/cli/client';
import {
  type DataFolder,
  embeddedParts,
  openDataFolder,
  type Parts,
  type Platform,
  type PlatformOptions,
  silentProgress,
  startPlatform,
} from '@opea/cli/platform';
import { systemClock } from '@opea/kernel/clock';
import { silentLogger } from '@opea/kernel/log';
import { createMetrics } from '@opea/kernel/metrics';

/** A whole platform on a free port, with a client that holds the workspace's key. */
export interface RunningPlatform extends AsyncDisposable {
  readonly url: string;
  readonly apiKey: string;
  readonly client: GraphClient;
  readonly runtime: Platform['runtime'];
}

/** Starts everything in this process on a data folder of its own; disposing stops it and removes the folder. */
export async function startTestPlatform(
  options: {
    readonly openParts?: (folder: DataFolder) => Promise<Parts>;
    readonly router?: PlatformOptions['router'];
  } = {},
): Promise<RunningPlatform> {
  const path = await mkdtemp(join(tmpdir(), 'opea-e2e-'));
  const folder = await openDataFolder(path);
  const platform = await startPlatform({
    openParts: () => options.openParts?.(folder) ?? embeddedParts({ folder, clock: systemClock }),
    folder,
    host: '127.0.0.1',
    port: 0,
    cores: 2,
    clock: systemClock,
    loggerOf: () => silentLogger,
    metrics: createMetrics(),
    progress: silentProgress,
    ...(options.router && { router: options.router }),
  });
  const client = graphClient(platform);
  return {
    url: platform.url,
    apiKey: platform.apiKey,
    runtime: platform.runtime,
    client,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await platform[Symbol.asyncDispose]();
      await rm(path, { recursive: true, force: true });
    },
  };
}
