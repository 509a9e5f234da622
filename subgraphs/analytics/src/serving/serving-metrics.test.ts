import { expect, test } from 'vitest';
import { summarise } from './serving-metrics.ts';
import { type ServedItem, slicesOf } from './slice.ts';

const range = { from: new Date('2026-01-01T00:00:00Z'), to: new Date('2026-01-01T00:01:00Z') };

const served = (changes: Partial<ServedItem> = {}): ServedItem => ({
  kind: 'PREDICTION',
  id: 'prd_1',
  modelId: 'mdl_1',
  model: 'digits',
  versionId: 'ver_1',
  principalId: 'pri_1',
  at: '2026-01-01T00:00:01.000Z',
  outcome: 'OK',
  queueMs: 2,
  computeMs: 3,
  totalMs: 5,
  rows: 1,
  batchSize: 4,
  ...changes,
});

test('four requests of one execution saved three executions', () => {
  const slices = slicesOf([served(), served(), served(), served()], 1_000);

  const metrics = summarise(slices, range, 10_000);

  expect(metrics).toMatchObject({ requests: 4, errors: 0, meanBatchSize: 4 });
  expect(metrics.batchEfficiency).toBeCloseTo(0.75);
});

test('failures count as errors and leave the latency alone', () => {
  const failure = served({ outcome: 'OVERLOADED', totalMs: 900 });

  const metrics = summarise(slicesOf([served(), failure], 1_000), range, 10_000);

  expect(metrics.errorRate).toBe(0.5);
  expect(metrics.p99Ms).toBeLessThan(6);
});

test('buckets are as wide as asked, oldest first, without empty ones', () => {
  const at = (second: number) => `2026-01-01T00:00:${String(second).padStart(2, '0')}.000Z`;
  const items = [served({ at: at(41) }), served({ at: at(1) }), served({ at: at(9) })];

  const { buckets } = summarise(slicesOf(items, 1_000), range, 10_000);

  expect(buckets.map(({ from, requests }) => [from.toISOString(), requests])).toEqual([
    ['2026-01-01T00:00:00.000Z', 2],
    ['2026-01-01T00:00:40.000Z', 1],
  ]);
});

test('a window without requests has no figures', () => {
  expect(summarise([], range, 10_000)).toMatchObject({ requests: 0, p50Ms: null, buckets: [] });
});
