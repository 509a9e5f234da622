import fc from 'fast-check';
import { expect, test } from 'vitest';
import { idOf, keyOf, newId } from './index.ts';

test('ids are unique and sort by the time they were made', () => {
  const ids = Array.from({ length: 1_000 }, newId);

  expect(new Set(ids).size).toBe(1_000);
  expect(ids.toSorted()).toEqual(ids);
});

test('an opaque id gives back its key, for its own kind only', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (key) => {
      expect(keyOf('mdl', idOf('mdl', key))).toBe(key);
      expect(keyOf('ver', idOf('mdl', key))).toBeUndefined();
    }),
  );
  for (const id of ['mdl_', 'mdl', 'mdl_%%%', `${idOf('mdl', 'a')}=`]) {
    expect(keyOf('mdl', id)).toBeUndefined();
  }
});
