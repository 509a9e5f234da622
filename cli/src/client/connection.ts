import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CommandFailed, exitCode } from '../exit.ts';

/** Where a platform is, and the key to it. */
export interface Connection {
  /** Its base address, such as `http://localhost:4000`. */
  readonly url: string;
  readonly apiKey: string;
}

/** The file in a data folder that tells the command line how to reach what runs there. */
export const connectionFile = (folder: string): string => join(folder, 'connection.json');

const stored = z.object({ url: z.url(), apiKey: z.string().min(1) });

export interface ConnectionSources {
  readonly url?: string | undefined;
  readonly key?: string | undefined;
  readonly dataFolder: string;
}

/** What was given wins; what is missing comes from the data folder that `opea up` wrote. */
export async function findConnection(sources: ConnectionSources): Promise<Connection> {
  if (sources.url && sources.key) return { url: trimmed(sources.url), apiKey: sources.key };
  const saved = await readSaved(sources.dataFolder);
  const url = sources.url ?? saved?.url;
  const apiKey = sources.key ?? saved?.apiKey;
  if (url && apiKey) return { url: trimmed(url), apiKey };
  throw new CommandFailed(
    'No platform is known here. Start one with `opea up`, or pass --url and --key (OPEA_URL, OPEA_API_KEY).',
    { exitCode: exitCode.unreachable },
  );
}

const trimmed = (url: string): string => url.replace(/\/+$/, '').replace(/\/graphql$/, '');

async function readSaved(folder: string): Promise<Connection | undefined> {
  try {
    const parsed = stored.safeParse(JSON.parse(await readFile(connectionFile(folder), 'utf8')));
    return parsed.data;
  } catch {
    return undefined;
  }
}
