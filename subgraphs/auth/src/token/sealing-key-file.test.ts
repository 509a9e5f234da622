import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readOrMakeSealingKey } from './sealing-key-file.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'opea-sealing-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('a key is made once, for its owner alone', async () => {
  const file = join(folder, 'deep', 'sealing.key');

  const [first, second] = await Promise.all([
    readOrMakeSealingKey(file),
    readOrMakeSealingKey(file),
  ]);
  const later = await readOrMakeSealingKey(file);

  expect(first).toHaveLength(32);
  expect(Buffer.from(second)).toEqual(Buffer.from(first));
  expect(Buffer.from(later)).toEqual(Buffer.from(first));
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test('a damaged file is refused, not replaced', async () => {
  const file = join(folder, 'damaged.key');
  await writeFile(file, 'short');

  await expect(readOrMakeSealingKey(file)).rejects.toThrow('32 bytes');
});
