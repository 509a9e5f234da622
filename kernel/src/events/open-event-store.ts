import { type QueryExecutorProvider, sql } from 'kysely';
import type { Clock } from '../clock/index.ts';
import { newId } from '../ids/index.ts';
import { type AnyDatabase, afterCommit, isUniqueViolation } from '../postgres/index.ts';
import type { Envelope } from './contract.ts';
import { type EventRow, linkOf, storedOf, type Upcasters } from './event-row.ts';
import {
  type ChainResult,
  type EventMeta,
  type EventStore,
  type NewEvent,
  type Position,
  type StoredEvent,
  type StreamId,
  versionConflict,
} from './event-store.ts';
import { chainStart, hashOf } from './hash-chain.ts';

/** The public fact that an event becomes for other services. */
export interface PublicFact {
  readonly subject: string;
  readonly data: unknown;
}

export interface EventStoreOptions {
  readonly clock: Clock;
  /** By type: from each old schema version to the next. */
  readonly upcasters?: Upcasters;
  /** What other services hear of an event; `undefined` keeps it inside. By default an event whose type is a subject, as it is. */
  readonly publish?: (event: Omit<StoredEvent, 'position'>) => PublicFact | undefined;
}

/** The topics that wake projections and relay after a commit. */
export const eventsTopic = 'events';
export const outboxTopic = 'outbox';

/** An event store in a service's own tables (`eventStoreMigrations`). */
export function eventStore(database: AnyDatabase, options: EventStoreOptions): EventStore {
  const { clock, upcasters = {}, publish = publishSubjects } = options;

  async function append(
    tx: QueryExecutorProvider,
    stream: StreamId,
    expected: number | 'any',
    { events, meta }: { events: readonly NewEvent[]; meta: EventMeta },
  ) {
    // Appends take turns until they commit, so positions become visible in order and no reader can pass one that is still open.
    await sql`select pg_advisory_xact_lock(hashtext('opea:events'), hashtext(current_schema()))`.execute(
      tx,
    );
    const head = await headOf(tx, stream);
    if (expected !== 'any' && expected !== head.version) {
      throw versionConflict({ stream: nameOf(stream), expected, actual: head.version });
    }
    if (events.length === 0) return { version: head.version, position: head.position };
    const chained = chain(head, stream, { events, meta, occurredAt: clock() });
    const outgoing = chained.flatMap((event) => {
      const fact = publish(event);
      return fact ? [envelopeOf(event, fact)] : [];
    });
    const { rows } = await insert(tx, chained, outgoing);
    afterCommit(tx, (signals) => {
      signals.notify(eventsTopic);
      if (outgoing.length > 0) signals.notify(outboxTopic);
    });
    return {
      version: head.version + events.length,
      position: rows[0]?.position ?? head.position,
    };
  }

  return {
    async append(stream, expectedVersion, events, meta, { tx } = {}) {
      const add = (within: QueryExecutorProvider) =>
        append(within, stream, expectedVersion, { events, meta });
      try {
        return await (tx ? add(tx) : database.transaction(add, { tenant: stream.tenant }));
      } catch (error) {
        if (!isUniqueViolation(error, 'events_stream_version')) throw error;
        const details = { stream: nameOf(stream), expected: Number(expectedVersion), actual: -1 };
        throw versionConflict(details, error);
      }
    },

    async load(stream, { asOf, fromVersion = 1, tx = database.query } = {}) {
      const { rows } = await sql<EventRow>`select * from events
        where tenant = ${stream.tenant} and stream_type = ${stream.type} and stream_id = ${stream.id}
          and version >= ${fromVersion} and (${asOf ?? null}::timestamptz is null or occurred_at <= ${asOf ?? null})
        order by version`.execute(tx);
      return rows.map((row) => storedOf(row, upcasters));
    },

    async readAll({ after, limit, types }) {
      const { rows } = await sql<EventRow>`select * from events
        where position > ${after} and (${types ?? null}::text[] is null or type = any(${types ?? null}::text[]))
        order by position limit ${limit}`.execute(database.query);
      return rows.map((row) => storedOf(row, upcasters));
    },

    async head() {
      const { rows } = await sql<{
        position: Position;
      }>`select coalesce(max(position), 0) as position from events`.execute(database.query);
      return rows[0]?.position ?? '0';
    },

    async verify(stream): Promise<ChainResult> {
      const { rows } = await sql<EventRow>`select * from events
        where tenant = ${stream.tenant} and stream_type = ${stream.type} and stream_id = ${stream.id}
        order by version`.execute(database.query);
      let previous = chainStart;
      for (const [at, row] of rows.entries()) {
        if (row.version !== at + 1 || row.hash !== hashOf(previous, linkOf(row))) {
          return { intact: false, brokenAt: at + 1 };
        }
        previous = row.hash;
      }
      return { intact: true, length: rows.length };
    },
  };
}

interface Head {
  readonly version: number;
  readonly position: Position;
  readonly hash: string;
}

type Chained = Omit<StoredEvent, 'position'> & { readonly schemaVersion: number };

async function headOf(tx: QueryExecutorProvider, stream: StreamId): Promise<Head> {
  const { rows } = await sql<Head>`select version, position, hash from events
    where tenant = ${stream.tenant} and stream_type = ${stream.type} and stream_id = ${stream.id}
    order by version desc limit 1`.execute(tx);
  return rows[0] ?? { version: 0, position: '0', hash: chainStart };
}

function chain(
  head: Head,
  stream: StreamId,
  { events, meta, occurredAt }: { events: readonly NewEvent[]; meta: EventMeta; occurredAt: Date },
): readonly Chained[] {
  const { actor, correlationId, causationId } = meta;
  let previous = head.hash;
  return events.map((event, at) => {
    const link = {
      id: event.id ?? newId(),
      stream: { type: stream.type, id: stream.id, tenant: stream.tenant },
      version: head.version + at + 1,
      type: event.type,
      schemaVersion: event.schemaVersion ?? 1,
      data: asJson(event.data),
      occurredAt,
      actor,
      correlationId,
      causationId,
    };
    previous = hashOf(previous, link);
    return { ...link, hash: previous };
  });
}

function envelopeOf(event: Chained, { subject, data }: PublicFact): Envelope {
  return {
    id: event.id,
    subject,
    occurredAt: event.occurredAt.toISOString(),
    tenant: event.stream.tenant,
    actor: event.actor,
    causationId: event.causationId,
    correlationId: event.correlationId,
    stream: nameOf(event.stream),
    version: event.version,
    data,
  };
}

/** Both tables in one statement; gives the last position. */
function insert(
  tx: QueryExecutorProvider,
  events: readonly Chained[],
  outgoing: readonly Envelope[],
) {
  const rows = events.map((event) => ({
    id: event.id,
    tenant: event.stream.tenant,
    stream_type: event.stream.type,
    stream_id: event.stream.id,
    version: event.version,
    type: event.type,
    schema_version: event.schemaVersion,
    data: event.data,
    actor: event.actor,
    correlation_id: event.correlationId,
    causation_id: event.causationId,
    occurred_at: event.occurredAt,
    hash: event.hash,
  }));
  const messages = outgoing.map((envelope, n) => ({
    n,
    id: envelope.id,
    subject: envelope.subject,
    envelope,
  }));
  return sql<{ position: Position }>`
    with sent as (
      insert into outbox (id, subject, envelope)
      select id, subject, envelope
      from jsonb_to_recordset(${JSON.stringify(messages)}::jsonb)
        as r(n int, id text, subject text, envelope jsonb) order by n
    ), appended as (
      insert into events (id, tenant, stream_type, stream_id, version, type, schema_version, data, actor,
        correlation_id, causation_id, occurred_at, hash)
      select id, tenant, stream_type, stream_id, version, type, schema_version, data, actor,
        correlation_id, causation_id, occurred_at, hash
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r(id uuid, tenant text, stream_type text,
        stream_id text, version int, type text, schema_version int, data jsonb, actor text,
        correlation_id text, causation_id text, occurred_at timestamptz, hash text)
      order by version
      returning position
    ) select max(position) as position from appended`.execute(tx);
}

function publishSubjects({ type, data }: Omit<StoredEvent, 'position'>): PublicFact | undefined {
  return /^[a-z0-9-]+(\.[a-z0-9-]+)+\.v\d+$/.test(type) ? { subject: type, data } : undefined;
}

const nameOf = ({ type, id }: StreamId): string => `${type}:${id}`;

function asJson(data: unknown): unknown {
  return data === undefined ? null : JSON.parse(JSON.stringify(data));
}
