import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { folderObjects } from './index.ts';
import { objectStoreContract } from './object-store.contract.ts';

describe('objects in a folder', () => {
  let root: string;
  let opened = 0;
  beforeAll(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'opea-objects-'));
  });
  afterAll(() => rm(root, { recursive: true, force: true }));
  const nextFolder = () => {
    opened += 1;
    return path.join(root, String(opened));
  };

  objectStoreContract(async () => {
    const folder = nextFolder();
    return {
      store: await folderObjects({ folder }),
      async damage(digest) {
        const hex = digest.slice('sha256:'.length);
        const file = path.join(folder, hex.slice(0, 2), hex.slice(2));
        const content = await readFile(file);
        content[7] = (content[7] ?? 0) ^ 1;
        await writeFile(file, content);
      },
    };
  });

  test('what a killed writer left half done is removed at the next start', async () => {
    const folder = nextFolder();
    await folderObjects({ folder });
    await writeFile(path.join(folder, 'incoming', 'half'), 'ha');

    await folderObjects({ folder });

    expect(await readdir(path.join(folder, 'incoming'))).toEqual([]);
  });
});
