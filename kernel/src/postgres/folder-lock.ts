import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { kill, pid } from 'node:process';
import { z } from 'zod';
import { defineError, PlatformError } from '../errors/index.ts';

export const folderInUse = defineError(
  'FOLDER_IN_USE',
  500,
  ({ folder, holder }: { folder: string; holder: number }) =>
    `The data folder ${folder} is in use by process ${holder}. Stop it, or choose another folder.`,
);

export const folderUnwritable = defineError(
  'FOLDER_UNWRITABLE',
  500,
  ({ folder }: { folder: string }) => `The data folder ${folder} cannot be written to.`,
);

/**
 * Takes a folder for this process until disposed. Throws FOLDER_IN_USE while a living process has it (this one included);
 * what a killed process left behind is taken over. Throws FOLDER_UNWRITABLE.
 */
export async function lockFolder(folder: string): Promise<AsyncDisposable> {
  const file = path.join(folder, 'opea.lock');
  try {
    await mkdir(folder, { recursive: true });
    const holder = await holderOf(file);
    if (holder !== undefined) throw folderInUse({ folder, holder });
    await rm(file, { force: true });
    await writeFile(file, JSON.stringify({ pid, started: await startOf(pid) }), { flag: 'wx' });
  } catch (error) {
    throw error instanceof PlatformError ? error : folderUnwritable({ folder }, error);
  }
  return { [Symbol.asyncDispose]: () => rm(file, { force: true }) };
}

const lockContent = z.object({ pid: z.int().positive(), started: z.string() });

/** The living process that wrote the lock file, if there is one. */
async function holderOf(file: string): Promise<number | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  const lock = lockContent.safeParse(text === undefined ? undefined : parsed(text));
  if (!lock.success || !isAlive(lock.data.pid)) return undefined;
  return (await startOf(lock.data.pid)) === lock.data.started ? lock.data.pid : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isAlive(process: number): boolean {
  try {
    kill(process, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** When a process started, in the kernel's ticks: tells a process from a later one with the same number. Empty where there is no /proc. */
async function startOf(process: number): Promise<string> {
  const stat = await readFile(`/proc/${process}/stat`, 'utf8').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
