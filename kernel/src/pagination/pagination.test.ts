import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clampFirst, connection, decodeCursor, encodeCursor } from './index.ts';

test('pages of any size, one after the other, are the whole list', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer()), fc.integer({ min: 1, max: 10 }), (rows, first) => {
      const sorted = rows.toSorted((a, b) => a - b);
      const seen: number[] = [];
      let after: string | null = null as string | null;
      for (let hasNext = true; hasNext; ) {
        const from: number = Number(decodeCursor(after)?.[0] ?? Number.NEGATIVE_INFINITY);
        const found = sorted.filter((row) => row > from).slice(0, first + 1);
        const page = connection({ rows: found, first, after, cursorOf: (row) => [row] });
        seen.push(...page.nodes);
        after = page.pageInfo.endCursor;
        hasNext = page.pageInfo.hasNextPage;
      }

      expect(seen).toEqual(sorted);
    }),
  );
});

test('how many: 20 when nobody says, never more than 100, never less than none', () => {
  expect([clampFirst(undefined), clampFirst(null), clampFirst(5), clampFirst(9_999)]).toEqual([
    20, 20, 5, 100,
  ]);
  expect(() => clampFirst(-1)).toThrow('0 or more');
  expect(() => clampFirst(1.5)).toThrow('whole');
});

test.for(['', 'abc', encodeCursor(['x']).slice(1), `${encodeCursor(['x'])}=`, btoa('{"a":1}')])(
  'the cursor %j is not one of ours',
  (cursor) => {
    expect(() => decodeCursor(cursor)).toThrow('not one of ours');
  },
);
