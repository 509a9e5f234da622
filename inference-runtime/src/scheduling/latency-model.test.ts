import fc from 'fast-check';
import { expect, test } from 'vitest';
import { latencyModel } from './latency-model.ts';

test('an exact line is found exactly', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.01, max: 20, noNaN: true }),
      fc.double({ min: 0, max: 50, noNaN: true }),
      (a, b) => {
        const model = latencyModel();
        for (const rows of [1, 8, 3, 64, 16]) model.observe(rows, a * rows + b);

        expect(model.estimate(32)).toBeCloseTo(a * 32 + b, 5);
        expect(model.rowsWithin(a * 20 + b)).toBe(20);
      },
    ),
  );
});

test('nothing is claimed before enough was seen', () => {
  const model = latencyModel();
  for (let seen = 0; seen < 4; seen++) model.observe(1, 10);

  expect(model.estimate(1)).toBeUndefined();
  model.observe(1, 10);
  expect(model.estimate(1)).toBeCloseTo(10);
});

test('executions of one size only are taken as proportional, never as free', () => {
  const model = latencyModel();
  for (let seen = 0; seen < 10; seen++) model.observe(64, 64);

  expect(model.estimate(32)).toBeCloseTo(32);
});

test('the fit follows a machine that gets slower', () => {
  const model = latencyModel();
  for (let seen = 0; seen < 50; seen++) model.observe((seen % 8) + 1, (seen % 8) + 1);
  for (let seen = 0; seen < 200; seen++) model.observe((seen % 8) + 1, 3 * ((seen % 8) + 1));

  expect(model.estimate(8)).toBeGreaterThan(23);
});

test('no data makes an estimate negative', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(fc.integer({ min: 1, max: 64 }), fc.double({ min: 0, max: 100, noNaN: true })),
        {
          minLength: 5,
          maxLength: 30,
        },
      ),
      fc.integer({ min: 1, max: 256 }),
      (seen, rows) => {
        const model = latencyModel();
        for (const [n, ms] of seen) model.observe(n, ms);

        expect(model.estimate(rows)).toBeGreaterThanOrEqual(0);
      },
    ),
  );
});
