import { after, instantOf } from '@opea/kernel/clock';
import type { FeatureField } from '../tables.ts';

/** What a read asks: which entities, and what was true when, as far as it was known when. */
export interface Reading {
  readonly view: string;
  readonly version: number;
  readonly entity: string;
  /** The instant described. */
  readonly at: Date;
  /** Values written later than this do not count: the same reading always gives the same values. */
  readonly knownAt: Date;
}

export interface StoredValue {
  readonly value: unknown;
  readonly at: Date;
}

export type FeatureValue =
  | { readonly __typename: 'FreshValue' | 'StaleValue'; value: unknown; at: Date; ageMs: number }
  | { readonly __typename: 'MissingValue'; readonly default: unknown };

/** Fresh, stale or missing at an instant. A ttl of null never runs out. */
export function judged(options: {
  readonly field: FeatureField;
  readonly stored: StoredValue | undefined;
  readonly ttlMs: number | null;
  readonly at: Date;
}): FeatureValue {
  const { field, stored, ttlMs, at } = options;
  if (!stored) return { __typename: 'MissingValue', default: field.default };
  const ageMs = at.getTime() - stored.at.getTime();
  const fresh = ttlMs === null || after(stored.at, ttlMs) > at;
  return {
    __typename: fresh ? 'FreshValue' : 'StaleValue',
    value: stored.value,
    at: stored.at,
    ageMs,
  };
}

/** The opaque id that names a reading. */
export function readingId({ view, version, entity, at, knownAt }: Reading): string {
  const parts = [view, version, entity, at.getTime(), knownAt.getTime()];
  return `fvc_${Buffer.from(JSON.stringify(parts)).toString('base64url')}`;
}

/** The reading that an id names; `undefined` for an id that was not made by `readingId`. */
export function readingOf(id: string): Reading | undefined {
  if (!id.startsWith('fvc_')) return undefined;
  const parts = parsed(Buffer.from(id.slice(4), 'base64url').toString('utf8'));
  if (!Array.isArray(parts) || parts.length !== 5) return undefined;
  const [view, version, entity, at, knownAt]: readonly unknown[] = parts;
  if (typeof view !== 'string' || typeof entity !== 'string') return undefined;
  if (!isWhole(version) || !isWhole(at) || !isWhole(knownAt)) return undefined;
  const reading = { view, version, entity, at: instantOf(at), knownAt: instantOf(knownAt) };
  return readingId(reading) === id ? reading : undefined;
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
