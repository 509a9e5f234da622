import { env } from 'node:process';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { newId } from '../ids/index.ts';
import { databaseContract } from './database.contract.ts';
import { openPostgres } from './index.ts';

const url = () => {
  const value = env['OPEA_TEST_POSTGRES_URL'];
  if (value === undefined) throw new Error('OPEA_TEST_POSTGRES_URL is not set');
  return value;
};
const open = <DB>() =>
  openPostgres<DB>({ url: url(), service: `t${newId().replaceAll('-', '').slice(-20)}` });

describe('PostgreSQL', { timeout: 60_000 }, () => {
  databaseContract(open, { isSuperuser: true });

  test('a connection that the server ends is replaced by the next one that is needed', async () => {
    await using database = await open();
    const end = sql`select pg_terminate_backend(pg_backend_pid())`.execute(database.query);
    await expect(end).rejects.toMatchObject({ kind: { code: 'UNAVAILABLE' } });

    await expect(sql`select 1 as one`.execute(database.query)).resolves.toMatchObject({
      rows: [{ one: 1 }],
    });
  });

  test('a statement that takes too long is DEADLINE_EXCEEDED', async () => {
    await using database = await openPostgres({
      url: url(),
      service: 'slow',
      statementTimeoutMs: 50,
    });

    await expect(sql`select pg_sleep(2)`.execute(database.query)).rejects.toMatchObject({
      kind: { code: 'DEADLINE_EXCEEDED' },
    });
  });

  test('no server is UNAVAILABLE, at once', async () => {
    await expect(
      openPostgres({ url: 'postgres://nobody@127.0.0.1:1/none', service: 'none' }),
    ).rejects.toMatchObject({ kind: { code: 'UNAVAILABLE' } });
  });
});
