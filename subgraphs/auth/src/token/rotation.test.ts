import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planRotation, signingKey } from './rotation.ts';

const policy = { rotateAfterMs: 1_000, leadMs: 100, keepMs: 200 };
const at = (ms: number) => new Date(ms);
const key = (kid: string, ms: number) => ({ kid, activeFrom: at(ms) });

describe('the plan', () => {
  test('without a key makes one that signs at once', () => {
    expect(planRotation([], at(5_000), policy)).toEqual({ makeFrom: at(5_000), drop: [] });
  });

  test('leaves a young key alone', () => {
    expect(planRotation([key('a', 0)], at(899), policy)).toEqual({ makeFrom: undefined, drop: [] });
  });

  test('publishes a successor before it signs', () => {
    expect(planRotation([key('a', 0)], at(900), policy).makeFrom).toEqual(at(1_000));
  });

  test('makes one successor, not one each time it looks', () => {
    expect(planRotation([key('a', 0), key('b', 1_000)], at(950), policy).makeFrom).toBeUndefined();
  });

  test('gives a successor its lead also after a long sleep', () => {
    expect(planRotation([key('a', 0)], at(50_000), policy).makeFrom).toEqual(at(50_100));
  });

  test('keeps the old key for as long as its tokens may live, and then drops it', () => {
    const keys = [key('a', 0), key('b', 1_000)];

    expect(planRotation(keys, at(1_199), policy).drop).toEqual([]);
    expect(planRotation(keys, at(1_200), policy).drop).toEqual(['a']);
  });
});

test('at every moment of a long run one key signs, and it was published before it did', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 80 }), { maxLength: 200 }), (steps) => {
      let now = 0;
      let keys: { kid: string; activeFrom: Date; madeAt: number }[] = [];
      for (const step of steps) {
        now += step;
        const { makeFrom, drop } = planRotation(keys, at(now), policy);
        if (makeFrom) keys.push({ kid: String(now), activeFrom: makeFrom, madeAt: now });
        keys = keys.filter(({ kid }) => !drop.includes(kid));
        const signer = signingKey(keys, at(now));
        expect(signer).toBeDefined();
        expect(signer === keys[0] || publishedBefore(signer)).toBe(true);
        expect(keys.length).toBeLessThanOrEqual(3);
      }
    }),
  );
});

const publishedBefore = (signer: { activeFrom: Date; madeAt: number } | undefined) =>
  signer !== undefined && signer.madeAt < signer.activeFrom.getTime();
