import { expect, test, vi } from 'vitest';
import { WriteBehind } from './write-behind.ts';

const limits = { maxWaitMs: 10, maxItems: 3, maxPending: 5 };
const ignore = { onFailure: () => undefined, onDropped: () => undefined };

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
