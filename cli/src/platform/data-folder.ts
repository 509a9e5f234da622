import {
  access,
  chmod,
  constants,
  mkdir,
  readFile,
  rename,
  stat,
  writeFile,
} from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { connectionFile } from '../client/connection.ts';
import { CommandFailed, exitCode } from '../exit.ts';

/** Where one platform keeps everything it knows. */
export interface DataFolder {
  readonly path: string;
  /** The parts of it, each owned by one part of the platform. */
  readonly postgres: string;
  readonly objects: string;
  readonly modelCache: string;
  readonly sealingKey: string;
  readonly log: string;
  workspace(): Promise<Workspace | undefined>;
  save(workspace: Workspace): Promise<void>;
}

/** What `opea up` remembers from one start to the next, and how the command line finds the platform. */
export interface Workspace {
  readonly url: string;
  readonly apiKey: string;
  /** Whether the demo workspace is complete. */
  readonly seeded: boolean;
}

/** Opens a data folder, or says in one sentence why it cannot be one. */
export async function openDataFolder(given: string): Promise<DataFolder> {
  const path = resolve(given);
  await demandFolder(path);
  return {
    path,
    postgres: join(path, 'postgres'),
    objects: join(path, 'objects'),
    modelCache: join(path, 'model-cache'),
    sealingKey: join(path, 'sealing-key'),
    log: join(path, 'opea.log'),
    workspace: () => readWorkspace(path),
    save: (workspace) => writeWorkspace(path, workspace),
  };
}

async function demandFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    const found = await stat(path).catch(() => undefined);
    const sentence =
      found && !found.isDirectory()
        ? `${path} is a file, not a folder. Choose another folder with --data.`
        : `This user may not write to ${path}. Choose another folder with --data.`;
    throw new CommandFailed(sentence, {
      exitCode: exitCode.usage,
      code: 'FOLDER_UNWRITABLE',
      cause,
    });
  }
}

async function readWorkspace(path: string): Promise<Workspace | undefined> {
  const text = await readFile(connectionFile(path), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const { url, apiKey, seeded } = JSON.parse(text) as Partial<Workspace>;
    if (typeof url === 'string' && typeof apiKey === 'string')
      return { url, apiKey, seeded: seeded === true };
  } catch {
    // A half-written file tells nothing: the key is made anew.
  }
  return undefined;
}

async function writeWorkspace(path: string, workspace: Workspace): Promise<void> {
  const file = connectionFile(path);
  await writeFile(`${file}.new`, `${JSON.stringify(workspace, null, 2)}\n`, { mode: 0o600 });
  await chmod(`${file}.new`, 0o600);
  await rename(`${file}.new`, file);
}
