import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { type Readable, Readable as ReadableStream } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { cancelled } from '../errors/index.ts';
import { newId } from '../ids/index.ts';
import { Digesting, Verifying } from './digesting.ts';
import {
  digestMismatch,
  hexOf,
  type ObjectStore,
  objectNotFound,
  type PutOptions,
  type StoredObject,
} from './object-store.ts';

/**
 * Objects as files: `<folder>/ab/cd…`, named by the hex of their digest. A file appears under its name complete and synced, or not at all;
 * a put that was cut short leaves only a file in `incoming/`, which the next start removes.
 */
export async function folderObjects({ folder }: { readonly folder: string }): Promise<ObjectStore> {
  const incoming = path.join(folder, 'incoming');
  await rm(incoming, { recursive: true, force: true });
  await mkdir(incoming, { recursive: true });
  const fileOf = (digest: string) => {
    const hex = hexOf(digest);
    return path.join(folder, hex.slice(0, 2), hex.slice(2));
  };

  const statOf = async (digest: string): Promise<StoredObject | undefined> => {
    const file = fileOf(digest);
    const found = await stat(file).catch(absent);
    return found && { digest: `sha256:${hexOf(digest)}`, size: found.size };
  };

  return {
    async put(source, options = {}) {
      if (options.expectedDigest !== undefined) hexOf(options.expectedDigest);
      const temporary = path.join(incoming, newId());
      try {
        const written = await write(source, temporary, options);
        if (await statOf(written.digest)) return { ...written, existed: true };
        const file = fileOf(written.digest);
        await mkdir(path.dirname(file), { recursive: true });
        await rename(temporary, file);
        await syncFolder(path.dirname(file));
        return { ...written, existed: false };
      } finally {
        await rm(temporary, { force: true });
      }
    },

    async get(digest, { range, signal } = {}) {
      const file = await open(fileOf(digest)).catch(absent);
      if (!file) throw objectNotFound({ digest });
      const bytes = createReadStream('', {
        fd: file,
        ...(range && { start: range.from }),
        ...(range?.to !== undefined && { end: range.to }),
        ...(signal && { signal }),
      });
      return range ? bytes : verified(bytes, digest);
    },

    stat: statOf,

    async delete(digest) {
      const existed = (await statOf(digest)) !== undefined;
      await rm(fileOf(digest), { force: true });
      return existed;
    },

    async [Symbol.asyncDispose]() {},
  };
}

/** The bytes, followed by DIGEST_MISMATCH when they are not those the digest names. */
export function verified(bytes: Readable, digest: string): Readable {
  const verifying = new Verifying(digest);
  bytes.on('error', (error) => verifying.destroy(error));
  verifying.on('close', () => bytes.destroy());
  return bytes.pipe(verifying);
}

/** Any kind of source as a stream of bytes. */
export function streamOf(source: Parameters<ObjectStore['put']>[0]): Readable {
  if (source instanceof ReadableStream) return source;
  return source instanceof Uint8Array
    ? ReadableStream.from([source], { objectMode: false })
    : ReadableStream.from(source, { objectMode: false });
}

/** Checks what was written against what was announced. */
export function checkDigest(written: StoredObject, { expectedDigest }: PutOptions): void {
  if (expectedDigest !== undefined && expectedDigest !== written.digest) {
    throw digestMismatch({ expected: expectedDigest, actual: written.digest });
  }
}

async function write(
  source: Parameters<ObjectStore['put']>[0],
  file: string,
  options: PutOptions,
): Promise<StoredObject> {
  const digesting = new Digesting(options);
  const { signal } = options;
  try {
    await pipeline(
      streamOf(source),
      digesting,
      createWriteStream(file, { flush: true }),
      signal ? { signal } : {},
    );
  } catch (error) {
    throw signal?.aborted ? cancelled({}, error) : error;
  }
  checkDigest(digesting.result, options);
  return digesting.result;
}

/** Makes the new name in a folder durable. */
async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder);
  await handle.sync();
}

function absent(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
}
