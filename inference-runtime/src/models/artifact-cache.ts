import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { hexOf, type ObjectStore } from '@opea/kernel/objects';
import type { ModelFile } from '../engines/engine.ts';
import { modelRefused } from '../errors.ts';

export interface ArtifactCache {
  /** The file on this node, its digest just checked. Rejects when the store has it not, or has other bytes. */
  fetch(
    file: { readonly name: string; readonly digest: string; readonly size: number },
    signal: AbortSignal,
  ): Promise<ModelFile>;
}

/** Keeps model files in a folder of this node, named by their digest. A file that rotted is fetched again. */
export function folderArtifactCache({
  folder,
  objects,
  newId,
}: {
  readonly folder: string;
  readonly objects: Pick<ObjectStore, 'get'>;
  readonly newId: () => string;
}): ArtifactCache {
  const fetching = new Map<string, Promise<void>>();

  async function download(digest: string, path: string): Promise<void> {
    await mkdir(folder, { recursive: true });
    const partial = `${path}.${newId()}.partial`;
    try {
      await pipeline(await objects.get(digest), createWriteStream(partial));
      if (!(await matches(partial, digest)))
        throw modelRefused({ model: digest, reason: 'the stored file does not match its digest' });
      await rename(partial, path);
    } catch (reason) {
      await rm(partial, { force: true });
      throw reason;
    }
  }

  async function ensure(digest: string, size: number, path: string): Promise<void> {
    if (!(await isIntact(path, digest, size))) await download(digest, path);
  }

  return {
    async fetch({ name, digest, size }, signal) {
      const path = join(folder, hexOf(digest));
      let under = fetching.get(digest);
      if (!under) {
        under = ensure(digest, size, path);
        fetching.set(digest, under);
        const forget = () => void fetching.delete(digest);
        under.then(forget, forget);
      }
      await under;
      signal.throwIfAborted();
      return { name, digest, size, path };
    },
  };
}

async function isIntact(path: string, digest: string, size: number): Promise<boolean> {
  const present = await stat(path).catch(() => undefined);
  return present?.size === size && (await matches(path, digest));
}

async function matches(path: string, digest: string): Promise<boolean> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return `sha256:${hash.digest('hex')}` === digest;
}
