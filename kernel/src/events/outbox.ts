import { type QueryExecutorProvider, sql } from 'kysely';
import { type AnyDatabase, afterCommit } from '../postgres/index.ts';
import type { Envelope } from './contract.ts';
import { outboxTopic } from './open-event-store.ts';

/** Publishes a fact that belongs to no stream, when `tx` commits. The same id twice is sent once. */
export async function enqueue(tx: QueryExecutorProvider, envelope: Envelope): Promise<void> {
  await sql`insert into outbox (id, subject, envelope)
    values (${envelope.id}, ${envelope.subject}, ${JSON.stringify(envelope)}::text::jsonb)
    on conflict (id) do nothing`.execute(tx);
  afterCommit(tx, (signals) => signals.notify(outboxTopic));
}

/** Sends everything again that was ever sent: for a bus that lost its messages. Consumers are idempotent by message id. */
export async function republishAll(database: AnyDatabase): Promise<void> {
  await sql`update outbox set published_at = null`.execute(database.query);
  database.signals.notify(outboxTopic);
}

/** Says true once for each message of a consumer: write its effect in the same `tx`, and a repeated delivery has none. */
export async function firstDelivery(
  tx: QueryExecutorProvider,
  { consumer, id }: { readonly consumer: string; readonly id: string },
): Promise<boolean> {
  const { rows } = await sql`insert into inbox (consumer, message_id) values (${consumer}, ${id})
    on conflict do nothing returning 1`.execute(tx);
  return rows.length > 0;
}
