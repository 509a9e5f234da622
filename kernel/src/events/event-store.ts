import type { QueryExecutorProvider } from 'kysely';
import { defineError } from '../errors/index.ts';
import type { Fact } from './decider.ts';

export interface StreamId {
  readonly type: string;
  readonly id: string;
  readonly tenant: string;
}

/** A place in the history of all streams: a decimal number as text, growing in the order of commits. '0' is before all. */
export type Position = string;

/** A fact to append. `id` (UUID) is made when left out; `schemaVersion` is 1 when left out. `data` must be JSON. */
export interface NewEvent<Type extends string = string, Data = unknown> extends Fact<Type, Data> {
  readonly id?: string;
  readonly schemaVersion?: number;
}

/** Who did it, and what for. */
export interface EventMeta {
  readonly correlationId: string;
  readonly causationId: string;
  readonly actor: string;
}

export interface StoredEvent<Type extends string = string, Data = unknown>
  extends Fact<Type, Data>,
    EventMeta {
  readonly id: string;
  readonly position: Position;
  readonly stream: StreamId;
  /** 1 for the first event of its stream. */
  readonly version: number;
  readonly occurredAt: Date;
  /** SHA-256 (hex) over the previous event's hash and this event: a chain through the stream. */
  readonly hash: string;
}

export interface Appended {
  readonly version: number;
  readonly position: Position;
}

/** What `verify` found: an intact chain, or the first version whose hash does not follow from what is stored. */
export type ChainResult =
  | { readonly intact: true; readonly length: number }
  | { readonly intact: false; readonly brokenAt: number };

/** A transaction of any service's database. */
export type AnyTransaction = QueryExecutorProvider;

export interface EventStore {
  /**
   * Appends all or nothing, with the outbox rows, in one transaction (or in `options.tx`, the caller's own).
   * Throws VERSION_CONFLICT when the stream is not at `expectedVersion` (0: it must be new).
   */
  append(
    stream: StreamId,
    expectedVersion: number | 'any',
    events: readonly NewEvent[],
    meta: EventMeta,
    options?: { readonly tx?: AnyTransaction },
  ): Promise<Appended>;
  /** A stream's events in order; `asOf` leaves out what occurred later, `fromVersion` what came before it. */
  load(
    stream: StreamId,
    options?: {
      readonly asOf?: Date | undefined;
      readonly fromVersion?: number;
      readonly tx?: AnyTransaction;
    },
  ): Promise<readonly StoredEvent[]>;
  /** Events of all streams after a position, in the order of commits; never skips one that commits late. */
  readAll(options: {
    readonly after: Position;
    readonly limit: number;
    readonly types?: readonly string[];
  }): Promise<readonly StoredEvent[]>;
  /** The position of the newest event. */
  head(): Promise<Position>;
  verify(stream: StreamId): Promise<ChainResult>;
}

export const versionConflict = defineError(
  'VERSION_CONFLICT',
  409,
  ({ stream }: { stream: string; expected: number; actual: number }) =>
    `${stream} was changed by somebody else in the meantime.`,
);

/** -1, 0 or 1: how two positions lie to each other. */
export function comparePositions(a: Position, b: Position): number {
  const [left, right] = [BigInt(a), BigInt(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}
