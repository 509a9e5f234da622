import { expect, test } from 'vitest';
import type { FeatureField } from '../tables.ts';
import { judged, readingId, readingOf } from './feature-vector.ts';

const field: FeatureField = { name: 'age', type: 'INT', default: 30, description: '' };
const written = new Date('2026-01-01T00:00:00Z');
const later = (ms: number) => new Date(written.getTime() + ms);
const stored = { value: 41, at: written };

test('a value is fresh until its ttl has passed', () => {
  expect(judged({ field, stored, ttlMs: 1_000, at: later(999) })).toMatchObject({
    __typename: 'FreshValue',
    value: 41,
    ageMs: 999,
  });
  expect(judged({ field, stored, ttlMs: 1_000, at: later(1_000) })).toMatchObject({
    __typename: 'StaleValue',
  });
});

test('a value without a ttl stays fresh', () => {
  expect(judged({ field, stored, ttlMs: null, at: later(1e12) })).toMatchObject({
    __typename: 'FreshValue',
  });
});

test('a missing value has the default', () => {
  expect(judged({ field, stored: undefined, ttlMs: null, at: written })).toEqual({
    __typename: 'MissingValue',
    default: 30,
  });
});

test('an id names its reading, and nothing else is an id', () => {
  const reading = { view: 'v', version: 2, entity: '[["a","1"]]', at: written, known: 5 };

  expect(readingOf(readingId(reading))).toEqual(reading);
  for (const wrong of ['', 'fvc_', 'fvc_e30', 'mdl_x', `${readingId(reading)}x`])
    expect(readingOf(wrong)).toBeUndefined();
  for (const forged of [
    { entity: 'no JSON' },
    { entity: '[["a",1]]' },
    { entity: '[["a", "1"]]' },
    { at: new Date(8.64e15) },
    { known: -1 },
  ])
    expect(readingOf(readingId({ ...reading, ...forged }))).toBeUndefined();
});
