import { expect, test } from 'vitest';
import type { DocumentStore, Filter } from './index.ts';

const runs = {
  a: { name: 'alpha', params: { lr: 0.1, layers: 2 }, tags: ['x'], done: true },
  b: { name: 'beta', params: { lr: 0.01, layers: 4 }, tags: ['x', 'y'], done: false },
  c: { name: 'gamma', params: { lr: 'auto' }, note: null, done: true },
};

/** Every document store keeps these promises. `open` gives an empty one. */
export function documentStoreContract(open: () => Promise<DocumentStore>): void {
  const seeded = async () => {
    const store = await open();
    const collection = store.collection('runs');
    for (const [id, doc] of Object.entries(runs)) await collection.put(id, doc);
    return { store, collection };
  };

  test('what is put comes back, and putting again replaces it whole', async () => {
    const { store, collection } = await seeded();
    await using _store = store;

    expect(await collection.get('a')).toEqual(runs.a);
    await collection.put('a', { only: { this: [1, null] } });
    expect(await collection.get('a')).toEqual({ only: { this: [1, null] } });
    expect(await collection.get('nobody')).toBeUndefined();
  });

  test.for<readonly [string, Filter, string]>([
    ['everything', {}, 'abc'],
    ['an equal text', { name: 'beta' }, 'b'],
    ['an equal value at a path', { 'params.layers': 4 }, 'b'],
    ['an equal boolean', { done: true }, 'ac'],
    ['null, which a missing path equals', { note: null }, 'abc'],
    ['a value of a list', { tags: 'y' }, 'b'],
    ['more than', { 'params.lr': { $gt: 0.01 } }, 'a'],
    ['at least and less than', { 'params.lr': { $gte: 0.01, $lt: 0.1 } }, 'b'],
    ['texts in order', { name: { $lte: 'beta' } }, 'ab'],
    ['another value', { name: { $ne: 'beta' } }, 'ac'],
    ['one of', { name: { $in: ['alpha', 'gamma', 7] } }, 'ac'],
    ['one of none', { name: { $in: [] } }, ''],
    ['a path that is there', { 'params.layers': { $exists: true } }, 'ab'],
    ['a path that is not there', { 'params.layers': { $exists: false } }, 'c'],
    ['either', { $or: [{ name: 'alpha' }, { 'params.lr': 'auto' }] }, 'ac'],
    ['both', { $and: [{ done: true }, { 'params.layers': { $exists: true } }] }, 'a'],
    ['text that looks like SQL', { name: "' or '1'='1" }, ''],
  ])('finds %s', async ([, filter, ids]) => {
    const { store, collection } = await seeded();
    await using _store = store;

    const found = await collection.find(filter);

    expect(found.map(({ id }) => id).join('')).toBe(ids);
    expect(await collection.count(filter)).toBe(ids.length);
  });

  test('pages follow each other, and order can be another', async () => {
    const { store, collection } = await seeded();
    await using _store = store;
    const ids = async (options: Parameters<typeof collection.find>[1]) =>
      (await collection.find({}, options)).map(({ id }) => id).join('');

    expect(await ids({ limit: 2 })).toBe('ab');
    expect(await ids({ limit: 2, after: 'b' })).toBe('c');
    expect(await ids({ sort: { path: 'name', direction: 'desc' } })).toBe('cba');
    expect(await ids({ sort: { path: 'done', direction: 'asc' }, skip: 1, limit: 1 })).toBe('a');
  });

  test.for<readonly [string, object]>([
    ['an unknown operator', { name: { $where: 'sleep(1000)' } }],
    ['an empty condition', { name: {} }],
    ['a bare list', { tags: ['x'] }],
  ])('refuses %s', async ([, filter]) => {
    const { store, collection } = await seeded();
    await using _store = store;

    await expect((async () => collection.find(filter as Filter))()).rejects.toMatchObject({
      kind: { code: 'BAD_USER_INPUT' },
    });
  });

  test('what is deleted is gone, and collections are apart', async () => {
    const { store, collection } = await seeded();
    await using _store = store;

    expect(await store.collection('others').get('a')).toBeUndefined();
    expect(await collection.delete('a')).toBe(true);
    expect(await collection.delete('a')).toBe(false);
    expect(await collection.get('a')).toBeUndefined();
  });
}
