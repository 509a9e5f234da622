import fc from 'fast-check';
import { expect, test } from 'vitest';
import { histogramOf, mergeHistograms, quantile } from './latency-histogram.ts';

const durations = fc.array(fc.double({ min: 0.02, max: 60_000, noNaN: true }), { minLength: 1 });

test('every quantile is within 2.5 % of the true one', () => {
  fc.assert(
    fc.property(durations, fc.double({ min: 0, max: 1, noNaN: true }), (values, q) => {
      const sorted = values.toSorted((a, b) => a - b);
      const truth = sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1] ?? Number.NaN;
      const read = quantile(histogramOf(values), q) ?? Number.NaN;
      expect(Math.abs(read - truth) / truth).toBeLessThanOrEqual(0.025 + 1e-9);
    }),
  );
});

test('histograms add up to the histogram of everything', () => {
  fc.assert(
    fc.property(fc.array(durations), (parts) => {
      expect(mergeHistograms(parts.map(histogramOf))).toEqual(histogramOf(parts.flat()));
    }),
  );
});

test('nothing counted has no quantile', () => {
  expect(quantile({}, 0.5)).toBeNull();
});
