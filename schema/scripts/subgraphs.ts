import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

export interface SubgraphSource {
  readonly name: string;
  readonly sdl: string;
}

/** Reads `<name>.graphql` files, sorted by name. */
export async function readSubgraphs(folder: string): Promise<readonly SubgraphSource[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.graphql')).toSorted();
  return Promise.all(
    files.map(async (file) => ({
      name: basename(file, '.graphql'),
      sdl: await readFile(join(folder, file), 'utf8'),
    })),
  );
}
