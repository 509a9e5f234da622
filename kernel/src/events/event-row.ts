import type { StoredEvent } from './event-store.ts';
import type { Link } from './hash-chain.ts';

/** A row of the table `events`. */
export interface EventRow {
  readonly position: string;
  readonly id: string;
  readonly tenant: string;
  readonly stream_type: string;
  readonly stream_id: string;
  readonly version: number;
  readonly type: string;
  readonly schema_version: number;
  readonly data: unknown;
  readonly actor: string;
  readonly correlation_id: string;
  readonly causation_id: string;
  readonly occurred_at: Date;
  readonly hash: string;
}

/** Type of event → schema version → the data in the next schema version. */
export type Upcasters = Readonly<
  Record<string, Readonly<Record<number, (data: unknown) => unknown>>>
>;

/** The event as it is read today: its data lifted to the newest schema version. */
export function storedOf(row: EventRow, upcasters: Upcasters): StoredEvent {
  const { data, schemaVersion: _version, ...link } = linkOf(row);
  return { ...link, data: lifted(row, data, upcasters), position: row.position, hash: row.hash };
}

/** The event as it was written, for its hash. */
export function linkOf(row: EventRow): Link {
  return {
    id: row.id,
    stream: { type: row.stream_type, id: row.stream_id, tenant: row.tenant },
    version: row.version,
    type: row.type,
    schemaVersion: row.schema_version,
    data: row.data,
    occurredAt: row.occurred_at,
    actor: row.actor,
    correlationId: row.correlation_id,
    causationId: row.causation_id,
  };
}

function lifted({ type, schema_version }: EventRow, data: unknown, upcasters: Upcasters): unknown {
  const steps = Object.hasOwn(upcasters, type) ? upcasters[type] : undefined;
  let newest = data;
  for (let version = schema_version, step = steps?.[version]; step; step = steps?.[version]) {
    newest = step(newest);
    version += 1;
  }
  return newest;
}
