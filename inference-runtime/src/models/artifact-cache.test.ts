import { readdir, readFile, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { newId } from '@opea/kernel/ids';
import { expect, test } from 'vitest';
import { digestOf, temporaryFolder } from '../testing/model-files.ts';
import { affineModel } from '../testing/tiny-models.ts';
import { folderArtifactCache } from './artifact-cache.ts';

const bytes = Uint8Array.from(affineModel());
const file = { name: 'model.onnx', digest: digestOf(bytes), size: bytes.byteLength };
const { signal } = new AbortController();

async function cacheOver(read: () => Uint8Array) {
  const folder = await temporaryFolder();
  let reads = 0;
  const cache = folderArtifactCache({
    folder: folder.path,
    newId,
    objects: {
      async get() {
        reads += 1;
        return Readable.from([Buffer.from(read())]);
      },
    },
  });
  return { folder, cache, reads: () => reads, [Symbol.asyncDispose]: folder[Symbol.asyncDispose] };
}

test('a file is fetched once, however many ask for it', async () => {
  await using it = await cacheOver(() => bytes);

  const files = await Promise.all([1, 2, 3].map(() => it.cache.fetch(file, signal)));
  await it.cache.fetch(file, signal);

  expect(it.reads()).toBe(1);
  expect(new Uint8Array(await readFile(files[0]?.path ?? ''))).toEqual(bytes);
});

test('a file that rotted on this node is fetched again', async () => {
  await using it = await cacheOver(() => bytes);
  const { path } = await it.cache.fetch(file, signal);
  const rotten = Uint8Array.from(bytes);
  rotten[100] = (rotten[100] ?? 0) ^ 1;
  await writeFile(path, rotten);

  await it.cache.fetch(file, signal);

  expect(it.reads()).toBe(2);
  expect(new Uint8Array(await readFile(path))).toEqual(bytes);
});

test('every single flipped bit of a stored model is refused, and nothing of it stays', async () => {
  let flip = 0;
  await using it = await cacheOver(() => {
    const spoilt = Uint8Array.from(bytes);
    const at = flip >> 3;
    spoilt[at] = (spoilt[at] ?? 0) ^ (1 << (flip & 7));
    return spoilt;
  });
  const bits = bytes.byteLength * 8;
  const refused: number[] = [];

  for (flip = 0; flip < bits; flip += Math.ceil(bits / 560))
    await it.cache.fetch(file, signal).catch(() => refused.push(flip));

  expect(refused).toHaveLength(it.reads());
  expect(refused.length).toBeGreaterThan(500);
  expect(await readdir(it.folder.path)).toEqual([]);
});

test.each([
  ['truncated', bytes.subarray(0, bytes.byteLength - 1)],
  ['empty', new Uint8Array(0)],
])('a %s file is refused', async (_, stored) => {
  await using it = await cacheOver(() => stored);

  await expect(it.cache.fetch(file, signal)).rejects.toMatchObject({
    kind: { code: 'MODEL_REFUSED' },
  });
});

test('a digest that is no digest reaches no path', async () => {
  await using it = await cacheOver(() => bytes);

  await expect(
    it.cache.fetch({ ...file, digest: 'sha256:../../etc/passwd' }, signal),
  ).rejects.toMatchObject({ kind: { code: 'BAD_USER_INPUT' } });
});
