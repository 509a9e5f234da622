import { instantOf } from '@opea/kernel/clock';
import type { FeatureField } from '../tables.ts';
import { isEntityKey } from './entity-key.ts';

/** What a read asks: which entities, and what was true when, as far as it was known when. */
export interface Reading {
  readonly view: string;
  readonly version: number;
  readonly entity: string;
  /** The instant described. */
  readonly at: Date;
  /** The view's last write that was known. Later ones do not count: the same reading always gives the same values. */
  readonly known: number;
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
  const fresh = ttlMs === null || ageMs < ttlMs;
  return {
    __typename: fresh ? 'FreshValue' : 'StaleValue',
    value: stored.value,
    at: stored.at,
    ageMs,
  };
}

/** The opaque id that names a reading. */
export function readingId({ view, version, entity, at, known }: Reading): string {
  const parts = [view, version, entity, at.getTime(), known];
  return `fvc_${Buffer.from(JSON.stringify(parts)).toString('base64url')}`;
}

/** The reading that an id names; `undefined` for an id that was not made by `readingId`. */
export function readingOf(id: string): Reading | undefined {
  if (!id.startsWith('fvc_')) return undefined;
  const parts = parsed(Buffer.from(id.slice(4), 'base64url').toString('utf8'));
  if (!Array.isArray(parts) || parts.length !== 5) return undefined;
  const [view, version, entity, at, known]: readonly unknown[] = parts;
  if (typeof view !== 'string' || typeof entity !== 'string') return undefined;
  if (!isWhole(version) || !isWhole(at) || !isWhole(known)) return undefined;
  if (known < 0 || at < firstInstant || at > lastInstant || !isEntityKey(entity)) return undefined;
  const reading = { view, version, entity, at: instantOf(at), known };
  return readingId(reading) === id ? reading : undefined;
}

/** The years 1 to 9999, in ms since the Unix epoch: what an RFC 3339 instant can say. */
const firstInstant = -62_135_596_800_000;
const lastInstant = 253_402_300_799_999;

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
