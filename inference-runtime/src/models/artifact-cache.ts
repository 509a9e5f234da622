import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { hexOf, type ObjectStore } from '@opea/kernel/objects';
import type { ModelFile } from '../engines/engine.ts';

export interface ArtifactCache {
  /** The file on this node, fetched at most once. Rejects when the store has it not, or other bytes. */
  fetch(
    file: { readonly name: string; readonly digest: string; readonly size: number },
    signal: AbortSignal,
  ): Promise<ModelFile>;
  /** Forgets a file, so that the next fetch asks the store again. */
  discard(digest: string): Promise<void>;
}

/** Keeps model files in a folder of this node, named by their digest; the object store verifies them as they stream. */
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
  const pathOf = (digest: string) => join(folder, hexOf(digest));

  async function download(digest: string, path: string, signal: AbortSignal): Promise<void> {
    await mkdir(folder, { recursive: true });
    const partial = `${path}.${newId()}.partial`;
    try {
      await pipeline(await objects.get(digest, { signal }), createWriteStream(partial), { signal });
      await rename(partial, path);
    } catch (reason) {
      await rm(partial, { force: true });
      throw reason;
    }
  }

  return {
    async fetch({ name, digest, size }, signal) {
      const path = pathOf(digest);
      const present = await stat(path).catch(() => undefined);
      if (present?.size !== size) {
        const under = fetching.get(digest) ?? download(digest, path, signal);
        fetching.set(digest, under);
        try {
          await under;
        } finally {
          fetching.delete(digest);
        }
      }
      return { name, digest, size, path };
    },
    discard: (digest) => rm(pathOf(digest), { force: true }),
  };
}
