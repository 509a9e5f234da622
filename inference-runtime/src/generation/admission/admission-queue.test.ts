import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createAdmissionQueue } from './admission-queue.ts';

interface Entry {
  readonly name: string;
  readonly tenant: string;
  readonly priority: number;
  readonly cost: number;
}

const entry = (name: string, options: Partial<Entry> = {}): Entry => ({
  name,
  tenant: 'acme',
  priority: 2,
  cost: 10,
  ...options,
});

const queueOf = (...entries: readonly Entry[]) => {
  const queue = createAdmissionQueue<Entry>({ maxQueued: 100, maxQueuedPerTenant: 100 });
  for (const one of entries) queue.push(one);
  return queue;
};

const drain = (queue: ReturnType<typeof queueOf>) => {
  const names: string[] = [];
  for (let next = queue.take(); next; next = queue.take()) names.push(next.name);
  return names;
};

describe('an admission queue', () => {
  test('serves a tenant in the order of arrival', () => {
    expect(drain(queueOf(entry('a'), entry('b'), entry('c')))).toEqual(['a', 'b', 'c']);
  });

  test('serves a higher priority first', () => {
    const queue = queueOf(
      entry('low', { priority: 3 }),
      entry('mid', { priority: 2 }),
      entry('high', { priority: 1 }),
    );
    expect(drain(queue)).toEqual(['high', 'mid', 'low']);
  });

  test('gives a tenant with one request its turn beside one that floods', () => {
    const flood = ['1', '2', '3', '4'].map((name) => entry(name, { tenant: 'loud' }));
    const queue = queueOf(...flood, entry('quiet', { tenant: 'quiet' }));
    expect(drain(queue).indexOf('quiet')).toBeLessThanOrEqual(1);
  });

  test('shares work, not requests: small ones get more turns', () => {
    const large = Array.from({ length: 5 }, (_, i) => entry(`L${i}`, { tenant: 'l', cost: 40 }));
    const small = Array.from({ length: 20 }, (_, i) => entry(`s${i}`, { tenant: 's', cost: 10 }));
    const firstTen = drain(queueOf(...large, ...small)).slice(0, 10);
    expect(firstTen.filter((name) => name.startsWith('s')).length).toBe(8);
  });

  test('does not let a tenant save up turns while it is away', () => {
    const queue = queueOf(...Array.from({ length: 8 }, (_, i) => entry(`a${i}`, { tenant: 'a' })));
    for (let turn = 0; turn < 4; turn++) queue.take();
    for (let i = 0; i < 4; i++) queue.push(entry(`b${i}`, { tenant: 'b' }));
    const names = drain(queue).slice(0, 4);
    expect(names.filter((name) => name.startsWith('b'))).toHaveLength(2);
  });

  test('refuses beyond its bounds, for all and for one tenant', () => {
    const queue = createAdmissionQueue<Entry>({ maxQueued: 3, maxQueuedPerTenant: 2 });
    expect(queue.push(entry('a'))).toBe(true);
    expect(queue.push(entry('b'))).toBe(true);
    expect(queue.push(entry('c'))).toBe(false);
    expect(queue.push(entry('d', { tenant: 'other' }))).toBe(true);
    expect(queue.push(entry('e', { tenant: 'third' }))).toBe(false);
    queue.take();
    expect(queue.push(entry('f', { tenant: 'third' }))).toBe(true);
  });

  test('gives out each entry exactly once, or removes it, whatever comes in which order', () => {
    const steps = fc.array(
      fc.record({
        act: fc.constantFrom('push', 'push', 'take', 'remove'),
        tenant: fc.constantFrom('a', 'b', 'c'),
        priority: fc.integer({ min: 1, max: 3 }),
        cost: fc.integer({ min: 1, max: 50 }),
      }),
      { maxLength: 80 },
    );
    fc.assert(
      fc.property(steps, (actions) => {
        const queue = createAdmissionQueue<Entry>({ maxQueued: 20, maxQueuedPerTenant: 12 });
        const waiting = new Set<Entry>();
        for (const [index, { act, ...options }] of actions.entries()) {
          const made = entry(String(index), options);
          const [some] = waiting;
          if (act === 'push' && queue.push(made)) waiting.add(made);
          if (act === 'remove' && some && queue.remove(some)) waiting.delete(some);
          const taken = act === 'take' ? queue.take() : undefined;
          const best = Math.min(...[...waiting].map(({ priority }) => priority));
          expect(taken?.priority ?? best).toBe(best);
          expect(act === 'take' && waiting.size > 0).toBe(taken !== undefined);
          if (taken) waiting.delete(taken);
          expect(queue.size).toBe(waiting.size);
        }
      }),
    );
  });
});
