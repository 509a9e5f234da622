import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelFile } from '../engines/engine.ts';

/** A folder that is removed when it is disposed. */
export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'opea-runtime-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Writes a model file where an engine can load it. */
export async function writeModelFile(
  folder: string,
  bytes: Uint8Array,
  name = 'model.onnx',
): Promise<ModelFile> {
  const digest = digestOf(bytes);
  const path = join(folder, digest.slice(7, 23));
  await writeFile(path, bytes);
  return { name, digest, size: bytes.byteLength, path };
}

export function digestOf(bytes: Uint8Array): `sha256:${string}` {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
