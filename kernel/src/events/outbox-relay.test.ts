import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Bus, type BusMessage, postgresBus } from '../bus/index.ts';
import { frozenClock } from '../clock/index.ts';
import { unavailable } from '../errors/index.ts';
import { newId } from '../ids/index.ts';
import { silentLogger } from '../log/index.ts';
import { createMetrics } from '../metrics/index.ts';
import { type Database, type EmbeddedPostgres, openPglite } from '../postgres/index.ts';
import {
  type Envelope,
  enqueue,
  eventStore,
  eventStoreMigrations,
  outboxRelay,
  republishAll,
} from './index.ts';

const meta = { actor: 'ada', correlationId: 'c-1', causationId: 'x' };
const registered = { type: 'registry.model-registered.v1', data: { name: 'churn' } };

describe('the outbox relay', { timeout: 60_000 }, () => {
  let embedded: EmbeddedPostgres;
  let bus: Bus;
  let database: Database<Record<string, never>>;
  let opened = 0;
  beforeAll(async () => {
    embedded = await openPglite({ folder: 'memory' });
    bus = await postgresBus(embedded);
  }, 120_000);
  afterAll(async () => {
    await bus[Symbol.asyncDispose]();
    await embedded[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    opened += 1;
    database = await embedded.database(`service_${opened}`);
    await database.migrate(eventStoreMigrations);
  });

  const relay = (overBus = bus, pollMs = 60_000) =>
    outboxRelay({
      database,
      bus: overBus,
      logger: silentLogger,
      metrics: createMetrics(),
      pollMs,
    });
  const store = () => eventStore(database, { clock: frozenClock('2026-01-01T00:00:00Z') });
  const append = (id = newId()) =>
    store().append({ type: 'model', id, tenant: 'acme' }, 0, [registered], meta);
  const listen = async () => {
    const heard: BusMessage[] = [];
    const waiting: (() => void)[] = [];
    await bus.consume({
      durable: `listener-${newId()}`,
      subjects: ['registry.>'],
      from: 'end',
      handle(message) {
        heard.push(message);
        for (const check of waiting) check();
      },
    });
    const count = (wanted: number) =>
      new Promise<void>((resolve) => {
        const check = () => {
          if (heard.length >= wanted) resolve();
        };
        waiting.push(check);
        check();
      });
    return { heard, count };
  };

  test('brings what was committed to the bus, in its envelope', async () => {
    const { heard, count } = await listen();
    await using _relay = relay();

    await append('m-1');
    await count(1);

    expect(heard[0]).toMatchObject({
      subject: registered.type,
      data: {
        subject: registered.type,
        tenant: 'acme',
        occurredAt: '2026-01-01T00:00:00.000Z',
        stream: 'model:m-1',
        version: 1,
        data: { name: 'churn' },
        ...meta,
      } satisfies Partial<Envelope>,
    });
  });

  test('is woken by the commit: fifteen appends arrive one by one long before it would look by itself', async () => {
    const { heard, count } = await listen();
    await using _relay = relay();

    for (let n = 1; n <= 15; n += 1) {
      await append();
      await count(n);
    }

    expect(heard).toHaveLength(15);
  });

  test('what was committed while no relay ran, or the bus was gone, arrives when they are back', async () => {
    const { heard, count } = await listen();
    await append();
    let failures = 3;
    const shaky: Bus = {
      ...bus,
      async publish(messages) {
        failures -= 1;
        if (failures >= 0) throw unavailable({ retryAfterMs: 10 });
        return bus.publish(messages);
      },
    };

    await using _relay = relay(shaky);
    await count(1);

    expect(heard).toHaveLength(1);
  });

  test('a relay that dies between publishing and noting it repeats itself, and the bus keeps one', async () => {
    const { heard, count } = await listen();
    const forgetful: Bus = {
      ...bus,
      async publish(messages) {
        await bus.publish(messages);
        throw new Error('killed');
      },
    };
    await append();
    const dying = relay(forgetful);
    await count(1);
    await dying[Symbol.asyncDispose]();

    await using _relay = relay();
    await append();
    await count(2);

    expect(new Set(heard.map(({ id }) => id)).size).toBe(2);
    expect(heard).toHaveLength(2);
  });

  test('of two relays one works at a time, and nothing is sent twice', async () => {
    const sent: string[] = [];
    const counting: Bus = {
      ...bus,
      async publish(messages) {
        sent.push(...messages.map(({ id }) => id));
        return bus.publish(messages);
      },
    };
    const { count } = await listen();
    await using _one = relay(counting, 5);
    await using _two = relay(counting, 5);

    await Promise.all(Array.from({ length: 20 }, () => append()));
    await count(20);

    expect(new Set(sent).size).toBe(20);
    expect(sent).toHaveLength(20);
  });

  test('a fact without a stream is sent once; one of a failed transaction never', async () => {
    const { heard, count } = await listen();
    await using _relay = relay();
    const envelope = (id: string): Envelope => ({
      id,
      subject: 'registry.looked-at.v1',
      occurredAt: '2026-01-01T00:00:00.000Z',
      tenant: 'acme',
      ...meta,
      data: {},
    });
    const [kept, lost] = [newId(), newId()];

    await database
      .transaction(async (tx) => {
        await enqueue(tx, envelope(lost));
        throw new Error('no');
      })
      .catch(() => {});
    for (let n = 0; n < 2; n += 1) {
      await database.transaction((tx) => enqueue(tx, envelope(kept)));
    }
    await append();
    await count(2);

    expect(heard.map(({ id }) => id)).not.toContain(lost);
    expect(heard.filter(({ id }) => id === kept)).toHaveLength(1);
  });

  test('everything can be sent again to a bus that lost it', async () => {
    const sent: string[] = [];
    const empty: Bus = {
      ...bus,
      async publish(messages) {
        sent.push(...messages.map(({ id }) => id));
        return messages.map((_, at) => ({ seq: at + 1, duplicate: false }));
      },
    };
    await append();
    await append();
    await using _relay = relay(empty, 20);
    await expect.poll(() => sent.length).toBe(2);

    await republishAll(database);

    await expect.poll(() => sent.length).toBe(4);
    const waiting = () =>
      sql<{ n: string }>`select count(*) as n from outbox where published_at is null`
        .execute(database.query)
        .then(({ rows }) => rows[0]?.n);
    await expect.poll(waiting).toBe('0');
  });
});
