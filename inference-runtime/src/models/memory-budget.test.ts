import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryBudget } from './memory-budget.ts';

const nobody = () => false;

test('the least recently used leave first', () => {
  const budget = new MemoryBudget(10);
  budget.add('a', { bytes: 4, pinned: false }, 1);
  budget.add('b', { bytes: 4, pinned: false }, 2);
  budget.touch('a', 3);

  expect(budget.evictionsFor(2, nobody)).toEqual([]);
  expect(budget.evictionsFor(4, nobody)).toEqual(['b']);
  expect(budget.evictionsFor(10, nobody)).toEqual(['b', 'a']);
});

test('what is pinned or in use stays; what then cannot fit is refused', () => {
  const budget = new MemoryBudget(10);
  budget.add('pinned', { bytes: 4, pinned: true }, 1);
  budget.add('used', { bytes: 4, pinned: false }, 2);

  expect(budget.evictionsFor(4, (id) => id === 'used')).toBeUndefined();
  expect(budget.evictionsFor(4, nobody)).toEqual(['used']);
});

test('whatever is loaded: after the evictions the newcomer fits, and none of them was needless', () => {
  const resident = fc.record({ bytes: fc.integer({ min: 1, max: 9 }), pinned: fc.boolean() });
  fc.assert(
    fc.property(
      fc.array(resident, { maxLength: 8 }),
      fc.integer({ min: 1, max: 20 }),
      (all, bytes) => {
        const budget = new MemoryBudget(20);
        for (const [at, one] of all.entries()) budget.add(`m${at}`, one, at);

        const evictions = budget.evictionsFor(bytes, nobody);

        const pinned = all.reduce((sum, one) => sum + (one.pinned ? one.bytes : 0), 0);
        expect(evictions === undefined).toBe(pinned + bytes > 20);
        const before = budget.usedBytes;
        for (const id of evictions ?? []) budget.remove(id);
        expect(evictions === undefined || budget.usedBytes + bytes <= 20).toBe(true);
        expect(before + bytes > 20 || evictions?.length === 0).toBe(true);
      },
    ),
  );
});
