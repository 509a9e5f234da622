import fc from 'fast-check';
import { expect, test } from 'vitest';
import { defaultBatchPolicy } from '../scheduling/policy.ts';
import { choosePolicy } from './choose-policy.ts';

const sizes = [1, 2, 4, 8, 16, 32, 64, 128];
const line = (perRow: number, fixed: number) =>
  sizes.map((rows) => ({ rows, ms: perRow * rows + fixed }));

test('with time to spare, the size after which more rows gain nothing', () => {
  const policy = choosePolicy(line(1, 10), { latencyMs: 10_000 }, defaultBatchPolicy);
  const flat = sizes.map((rows) => ({ rows, ms: Math.max(8, rows) }));

  expect(policy?.maxBatch).toBe(128);
  expect(choosePolicy(flat, { latencyMs: 10_000 }, defaultBatchPolicy)?.maxBatch).toBe(8);
});

test('a tight target chooses a small batch, an impossible one nothing', () => {
  expect(choosePolicy(line(1, 10), { latencyMs: 40 }, defaultBatchPolicy)?.maxBatch).toBe(8);
  expect(choosePolicy(line(1, 10), { latencyMs: 20 }, defaultBatchPolicy)).toBeUndefined();
});

test('whatever was measured: the choice keeps the target, and nothing measured that keeps it is much faster', () => {
  const measurements = fc
    .array(fc.double({ min: 0.1, max: 500, noNaN: true }), { minLength: 1, maxLength: 8 })
    .map((times) => times.map((ms, index) => ({ rows: sizes[index] ?? 1, ms })));
  fc.assert(
    fc.property(measurements, fc.double({ min: 1, max: 1_000, noNaN: true }), (all, latencyMs) => {
      const policy = choosePolicy(all, { latencyMs }, defaultBatchPolicy);
      const allowed = all.filter(({ ms }) => 2 * ms <= latencyMs);
      const chosen = all.find(({ rows }) => rows === policy?.maxBatch);

      expect(policy === undefined).toBe(allowed.length === 0);
      for (const { rows, ms } of policy ? allowed : [])
        expect(rows / ms).toBeLessThanOrEqual(((chosen?.rows ?? 0) / (chosen?.ms ?? 1)) * 1.04);
      expect(policy ? 2 * (chosen?.ms ?? 0) + policy.maxDelayMs : 0).toBeLessThanOrEqual(
        policy ? latencyMs + 0.1 : 0,
      );
    }),
  );
});
