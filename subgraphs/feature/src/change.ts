import type { Viewer } from '@opea/kernel/auth';
import type { Clock } from '@opea/kernel/clock';
import { enqueue } from '@opea/kernel/events';
import { newId } from '@opea/kernel/ids';
import type { Database } from '@opea/kernel/postgres';
import { type Kysely, sql } from 'kysely';
import type { Tables } from './tables.ts';

/** Who changes something, and in which request. */
export interface Author {
  readonly viewer: Viewer;
  readonly correlationId: string;
}

/** A fact to tell everyone, as its contract in `@opea/schema/events` has it. */
export interface Fact {
  readonly subject: string;
  readonly data: unknown;
}

export type Write = <Result>(
  author: Author,
  work: (tx: Kysely<Tables>, now: Date) => Promise<{ result: Result; facts: readonly Fact[] }>,
) => Promise<{ result: Result; position: string }>;

/** Changes the tenant's rows and tells of it, both or neither. `position` is the change's consistency token. */
export function writer({ database, clock }: { database: Database<Tables>; clock: Clock }): Write {
  return (author, work) =>
    database.transaction(
      async (tx) => {
        const now = clock();
        const { result, facts } = await work(tx, now);
        for (const { subject, data } of facts)
          await enqueue(tx, envelope(author, { subject, data, now }));
        return { result, position: await nextPosition(tx) };
      },
      { tenant: author.viewer.tenant },
    );
}

/** Two callers who make the same thing at once take turns. */
export async function lockName(
  tx: Kysely<Tables>,
  thing: { kind: 'view' | 'index'; tenant: string; name: string },
): Promise<void> {
  const key = `${thing.kind} ${thing.tenant} ${thing.name}`;
  await sql`SELECT pg_advisory_xact_lock(hashtextextended(${key}, 0))`.execute(tx);
}

/** The newest position that is visible here. */
export async function visiblePosition(database: Database<Tables>): Promise<bigint> {
  const { rows } = await sql<{ last_value: string; is_called: boolean }>`
    SELECT last_value, is_called FROM positions
  `.execute(database.query);
  const [row] = rows;
  return row?.is_called ? BigInt(row.last_value) : 0n;
}

async function nextPosition(tx: Kysely<Tables>): Promise<string> {
  const { rows } = await sql<{ position: string }>`
    SELECT nextval('positions')::text AS position
  `.execute(tx);
  return rows[0]?.position ?? '0';
}

function envelope(author: Author, { subject, data, now }: Fact & { readonly now: Date }) {
  const id = newId();
  return {
    id,
    subject,
    occurredAt: now.toISOString(),
    tenant: author.viewer.tenant,
    actor: author.viewer.id,
    causationId: author.correlationId,
    correlationId: author.correlationId,
    data,
  };
}
