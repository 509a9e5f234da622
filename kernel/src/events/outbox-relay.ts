import { sql } from 'kysely';
import type { Bus } from '../bus/index.ts';
import { newId } from '../ids/index.ts';
import type { Logger } from '../log/index.ts';
import type { Metrics } from '../metrics/index.ts';
import type { AnyDatabase } from '../postgres/index.ts';
import { loop } from '../resilience/index.ts';
import type { Envelope } from './contract.ts';
import { outboxTopic } from './open-event-store.ts';

export interface OutboxRelayOptions {
  readonly database: AnyDatabase;
  readonly bus: Bus;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** How often to look without being told; default 1,000 ms. */
  readonly pollMs?: number;
}

export interface OutboxRelay extends AsyncDisposable {
  /** Looks now. Commits of this process say so by themselves. */
  notify(): void;
}

interface OutboxRow {
  readonly position: string;
  readonly id: string;
  readonly subject: string;
  readonly envelope: Envelope;
}

const batch = 256;

/** Brings committed facts to the bus, in order, at least once. Of several relays of one database one works at a time. */
export function outboxRelay(options: OutboxRelayOptions): OutboxRelay {
  const { database, bus, logger, metrics, pollMs = 1_000 } = options;
  const owner = newId();
  const published = metrics.counter({
    name: 'opea_outbox_published_total',
    help: 'Facts brought from the outbox to the bus.',
    labels: ['service'],
  });
  const relay = loop({
    name: `outbox of ${database.service}`,
    logger,
    pollMs,
    async step() {
      const { rows } = await waiting(database, owner);
      if (rows.length === 0) return 'idle';
      await bus.publish(rows.map(({ id, subject, envelope }) => ({ id, subject, data: envelope })));
      const positions = rows.map(({ position }) => position);
      await sql`update outbox set published_at = now() where position = any(${positions}::bigint[])`.execute(
        database.query,
      );
      published.inc({ service: database.service }, rows.length);
      return rows.length < batch ? 'idle' : 'busy';
    },
  });
  const subscription = database.signals.on(outboxTopic, () => relay.wake());

  return {
    notify: () => relay.wake(),
    async [Symbol.asyncDispose]() {
      subscription[Symbol.dispose]();
      await relay[Symbol.asyncDispose]();
      await sql`delete from outbox_lease where owner = ${owner}`
        .execute(database.query)
        .catch(() => {});
    },
  };
}

/** Takes or renews the lease of the only relay that may work, and gives what waits: nothing to anybody else. */
function waiting(database: AnyDatabase, owner: string) {
  return sql<OutboxRow>`
    with lease as (
      insert into outbox_lease (owner, until) values (${owner}, now() + interval '10 seconds')
      on conflict (only_one) do update set owner = excluded.owner, until = excluded.until
        where outbox_lease.owner = excluded.owner or outbox_lease.until < now()
      returning 1
    ) select position, id, subject, envelope from outbox
    where published_at is null and exists (select from lease)
    order by position limit ${batch}`.execute(database.query);
}
