import { createWriteStream } from 'node:fs';
import { systemClock } from '@opea/kernel/clock';
import { openStack } from '@opea/kernel/lifecycle';
import { createLogger, type LogLevel } from '@opea/kernel/log';
import { createMetrics } from '@opea/kernel/metrics';
import { startTelemetry } from '@opea/kernel/telemetry';
import { graphClient } from '../client/graph-client.ts';
import { CommandFailed, exitCode } from '../exit.ts';
import { type DataFolder, openDataFolder } from '../platform/data-folder.ts';
import { seedDemoWorkspace } from '../platform/demo-workspace.ts';
import { embeddedParts } from '../platform/parts.ts';
import { type Platform, startPlatform } from '../platform/platform.ts';
import { type Progress, progress, silentProgress } from '../platform/progress.ts';
import { readyScreen } from '../platform/ready-screen.ts';
import { serverParts } from '../platform/server-parts.ts';
import type { Servers } from '../platform/servers-of.ts';
import type { Terminal } from '../terminal/terminal.ts';

export interface UpOptions {
  readonly data: string;
  readonly host: string;
  readonly port: number;
  readonly logLevel: LogLevel;
  readonly demo: boolean;
  readonly cores: number;
  readonly otlpUrl: string | undefined;
  /** Servers to stand on instead of the embedded parts. */
  readonly servers: Servers | undefined;
}

export interface UpWorld {
  readonly terminal: Terminal;
  /** Aborts when the operator asks to stop. */
  readonly signal: AbortSignal;
  /** Where the trained models of the demo workspace lie. */
  readonly modelsFolder: string;
}

/** Runs the whole platform in this process until it is asked to stop. */
export async function up(options: UpOptions, world: UpWorld): Promise<void> {
  const { terminal, signal } = world;
  const began = performance.now();
  const folder = await openDataFolder(options.data);
  const told = terminal.json ? silentProgress : progress({ terminal });
  const stack = openStack({ deadlineMs: 60_000 });
  try {
    stack.use(startTelemetry({ service: 'opea', otlpUrl: options.otlpUrl }));
    const platform = stack.use(await start(options, folder, told));
    if (options.demo) await seed(platform, folder, { ...world, told });
    const { url, apiKey } = platform;
    const seconds = (performance.now() - began) / 1_000;
    readyScreen(terminal, { url, apiKey, dataFolder: folder.path, seconds });
    await aborted(signal);
    terminal.note('\nStopping: no new requests, those in flight finish.');
  } finally {
    await stack[Symbol.asyncDispose]();
  }
  terminal.note('Stopped. Nothing is lost; `npm start` goes on from here.');
}

async function start(options: UpOptions, folder: DataFolder, told: Progress): Promise<Platform> {
  const destination = createWriteStream(folder.log, { flags: 'a', mode: 0o600 });
  const clock = systemClock;
  try {
    return await startPlatform({
      openParts: () =>
        options.servers
          ? serverParts({ ...options.servers, folder })
          : embeddedParts({ folder, clock }),
      folder,
      host: options.host,
      port: options.port,
      cores: options.cores,
      clock,
      loggerOf: (service) => createLogger({ service, level: options.logLevel, destination }),
      metrics: createMetrics({ processMetrics: true }),
      progress: told,
    });
  } catch (error) {
    throw asCommandFailed(error);
  }
}

async function seed(
  platform: Platform,
  folder: DataFolder,
  { modelsFolder, told }: UpWorld & { readonly told: Progress },
): Promise<void> {
  const workspace = await folder.workspace();
  if (workspace?.seeded) return;
  await using client = graphClient(platform);
  await seedDemoWorkspace({ client, modelsFolder, progress: told });
  await folder.save({ url: platform.url, apiKey: platform.apiKey, seeded: true });
}

/** The codes of a start that fails for a reason a person can do something about. */
const advice: Readonly<Record<string, string>> = {
  PORT_TAKEN: 'Choose another with --port, or stop that program.',
  PORT_FORBIDDEN: 'Choose another with --port.',
  FOLDER_IN_USE: 'Stop the other one, or choose another folder with --data.',
};

function asCommandFailed(error: unknown): unknown {
  if (!(error instanceof Error) || !('kind' in error)) return error;
  const { code } = error.kind as { code: string };
  const sentence = [error.message, advice[code]].filter(Boolean).join(' ');
  return new CommandFailed(sentence, { exitCode: exitCode.usage, code, cause: error });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
