import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The 32-byte sealing key in a file (base64), made with mode 0600 when there is none. */
export async function readOrMakeSealingKey(file: string): Promise<Uint8Array> {
  const found = await readFile(file, 'utf8').catch(absent);
  if (found !== undefined) return parseSealingKey(found);
  await mkdir(dirname(file), { recursive: true });
  const key = randomBytes(32);
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    // Linking is one step: nobody ever reads half a key, and of two that come at once one wins.
    await writeFile(draft, `${key.toString('base64')}\n`, { mode: 0o600, flag: 'wx', flush: true });
    await link(draft, file);
    return key;
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error;
    return parseSealingKey(await readFile(file, 'utf8'));
  } finally {
    await rm(draft, { force: true });
  }
}

/** Base64 of exactly 32 bytes. */
export function parseSealingKey(text: string): Uint8Array {
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length !== 32) throw new Error('A sealing key is 32 bytes in base64');
  return key;
}

function absent(error: unknown): undefined {
  if (!hasErrno(error, 'ENOENT')) throw error;
}

function hasErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
