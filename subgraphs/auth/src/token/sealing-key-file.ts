import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The 32-byte sealing key in a file (base64), made with mode 0600 when there is none. */
export async function readOrMakeSealingKey(file: string): Promise<Uint8Array> {
  const found = await readFile(file, 'utf8').catch(absent);
  if (found !== undefined) return parseSealingKey(found);
  await mkdir(dirname(file), { recursive: true });
  const key = randomBytes(32);
  try {
    await writeFile(file, `${key.toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
    await chmod(file, 0o600);
    return key;
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error;
    return parseSealingKey(await readFile(file, 'utf8'));
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
