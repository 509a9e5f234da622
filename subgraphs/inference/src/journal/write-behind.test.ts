import { expect, test, vi } from 'vitest';
import { WriteBehind } from './write-behind.ts';

const limits = { maxWaitMs: 10, maxItems: 3, maxPending: 5 };
const ignore = {
  groupOf: () => 'all',
  isItemsFault: () => false,
  onFailure: () => undefined,
  onDropped: () => undefined,
};

test('facts are written together, once each, in order', async () => {
  const written: (readonly number[])[] = [];
  const behind = new WriteBehind<number>({
    ...limits,
    ...ignore,
    write: async (items) => void written.push(items),
  });

  for (const item of [1, 2, 3, 4]) behind.add(item);
  await behind[Symbol.asyncDispose]();

  expect(written).toEqual([[1, 2, 3], [4]]);
});

test('a failed write is tried again with nothing lost', async () => {
  const written: number[] = [];
  const onFailure = vi.fn();
  let healthy = false;
  await using behind = new WriteBehind<number>({
    ...limits,
    ...ignore,
    onFailure,
    write: async (items) => {
      if (!healthy) throw new Error('store away');
      written.push(...items);
    },
  });

  behind.add(1);
  await vi.waitFor(() => expect(onFailure).toHaveBeenCalled());
  healthy = true;

  await vi.waitFor(() => expect(written).toEqual([1]));
});

test('a store that stays away costs the oldest facts, counted', async () => {
  const onDropped = vi.fn();
  const behind = new WriteBehind<number>({
    ...limits,
    ...ignore,
    onDropped,
    write: () => Promise.reject(new Error('store away')),
  });

  for (let item = 0; item < 7; item += 1) behind.add(item);

  expect(behind.pending).toEqual([2, 3, 4, 5, 6]);
  expect(onDropped).toHaveBeenCalledTimes(2);
  await behind[Symbol.asyncDispose]();
});

test('flush makes what was added durable', async () => {
  const written: number[] = [];
  await using behind = new WriteBehind<number>({
    ...limits,
    ...ignore,
    write: async (items) => void written.push(...items),
  });

  behind.add(1);
  await behind.flush();

  expect(written).toEqual([1]);
});

test('a write that failed is repeated as it was, also when more has come since', async () => {
  const attempts: (readonly number[])[] = [];
  await using behind = new WriteBehind<number>({
    ...limits,
    ...ignore,
    write: async (items) => {
      attempts.push(items);
      if (attempts.length === 1) throw new Error('did it arrive?');
    },
  });

  behind.add(1);
  await expect(behind.flush()).rejects.toThrow('did it arrive?');
  behind.add(2);
  await behind.flush();

  expect(attempts[1]).toBe(attempts[0]);
  expect(attempts.slice(1)).toEqual([[1], [2]]);
});

test('groups are written apart: the failure of one repeats nothing of another', async () => {
  const written: (readonly string[])[] = [];
  const away = new Set(['b']);
  await using behind = new WriteBehind<string>({
    ...limits,
    ...ignore,
    groupOf: (item) => item.slice(0, 1),
    write: async (items) => {
      if (items.some((item) => away.has(item.slice(0, 1)))) throw new Error('store away');
      written.push(items);
    },
  });

  for (const item of ['a1', 'b1', 'a2']) behind.add(item);
  await expect(behind.flush()).rejects.toThrow('store away');
  away.clear();
  await behind.flush();

  expect(written).toEqual([['a1', 'a2'], ['b1']]);
});

test('an item that no store would take is dropped alone, counted', async () => {
  const written: number[] = [];
  const onDropped = vi.fn();
  await using behind = new WriteBehind<number>({
    ...limits,
    ...ignore,
    maxItems: 8,
    maxPending: 100,
    onDropped,
    isItemsFault: () => true,
    write: async (items) => {
      if (items.includes(5)) throw new Error('not this one');
      written.push(...items);
    },
  });

  for (let item = 0; item < 20; item += 1) behind.add(item);
  await behind.flush();

  expect(written).toEqual([0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  expect(onDropped.mock.calls).toEqual([[1]]);
});
