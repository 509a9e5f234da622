import { expect, test } from 'vitest';
import { parseDuration } from './duration.ts';
import { bucketWidth, rangeOf } from './window.ts';

const now = new Date('2026-01-02T00:00:00Z');

test('`last` ends now', () => {
  expect(rangeOf({ last: parseDuration('24h') }, now)).toEqual({
    from: new Date('2026-01-01T00:00:00Z'),
    to: now,
  });
});

test.for([
  ['nothing', {}],
  ['both forms', { last: 1_000, from: new Date(0) }],
  ['an end before its start', { from: now, to: new Date(0) }],
  ['more than 90 days', { last: parseDuration('91d') }],
] as const)('a window of %s is refused', ([, window]) => {
  expect(() => rangeOf(window, now)).toThrow(expect.objectContaining({ name: 'PlatformError' }));
});

test.for(['', '5', '5 m', '-5m', '5y', 5])('%s is no duration', (text) => {
  expect(() => parseDuration(text)).toThrow('A duration is');
});

test('a window has sixty buckets unless asked otherwise', () => {
  const range = rangeOf({ last: parseDuration('1h') }, now);

  expect(bucketWidth(range, undefined)).toBe(60_000);
  expect(bucketWidth(range, 5_000)).toBe(5_000);
  expect(() => bucketWidth(range, 500)).toThrow('at least 1 s');
});
