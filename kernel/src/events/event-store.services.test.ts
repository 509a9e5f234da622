import { env } from 'node:process';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../clock/index.ts';
import { newId } from '../ids/index.ts';
import { openPostgres } from '../postgres/index.ts';
import { eventStoreContract } from './event-store.contract.ts';
import { eventStore, eventStoreMigrations } from './index.ts';

const open = <DB>() => {
  const url = env['OPEA_TEST_POSTGRES_URL'];
  if (url === undefined) throw new Error('OPEA_TEST_POSTGRES_URL is not set');
  return openPostgres<DB>({ url, service: `t${newId().replaceAll('-', '').slice(-20)}` });
};

describe('the event store in PostgreSQL', { timeout: 120_000 }, () => {
  eventStoreContract(open, { runs: 30 });

  test('a reader never passes an event whose transaction is still open', async () => {
    await using database = await open();
    await database.migrate(eventStoreMigrations);
    const store = eventStore(database, { clock: systemClock });
    const meta = { actor: 'a', correlationId: 'c', causationId: 'x' };
    const append = (id: string, tx?: Parameters<typeof store.append>[4]) =>
      store.append({ type: 'slow', id, tenant: 'acme' }, 0, [{ type: 'Said', data: {} }], meta, tx);
    const fast: Promise<unknown>[] = [];
    const seenMeanwhile: number[] = [];

    await database.transaction(async (tx) => {
      await append('late', { tx });
      fast.push(append('fast'));
      await sql`select pg_sleep(0.3)`.execute(tx);
      seenMeanwhile.push((await store.readAll({ after: '0', limit: 10 })).length);
    });
    await Promise.all(fast);

    expect(seenMeanwhile).toEqual([0]);
    const events = await store.readAll({ after: '0', limit: 10 });
    expect(events.map(({ stream }) => stream.id)).toEqual(['late', 'fast']);
  });
});
