import { env } from 'node:process';
import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../ids/index.ts';
import { databaseContract } from './database.contract.ts';
import { openPostgres } from './index.ts';

const url = () => {
  const value = env['OPEA_TEST_POSTGRES_URL'];
  if (value === undefined) throw new Error('OPEA_TEST_POSTGRES_URL is not set');
  return value;
};
const newService = () => `t${newId().replaceAll('-', '').slice(-20)}`;
const open = <DB>() => openPostgres<DB>({ url: url(), service: newService() });

/** As production does: a role that is no superuser, so that row level security holds for it. */
const openAsPlainRole = async <DB>() => {
  const plain = new URL(url());
  [plain.username, plain.password] = ['opea_plain', 'plain'];
  return openPostgres<DB>({ url: plain.href, service: newService() });
};

describe('PostgreSQL', { timeout: 60_000 }, () => {
  beforeAll(async () => {
    await using admin = await open();
    await sql`do $$ begin
      if not exists (select from pg_roles where rolname = 'opea_plain') then
        create role opea_plain login password 'plain';
      end if;
      execute format('grant create on database %I to opea_plain', current_database());
    end $$`.execute(admin.query);
  });
  databaseContract(openAsPlainRole);

  test('a connection that the server ends is replaced by the next one that is needed', async () => {
    await using database = await open();
    const end = sql`select pg_terminate_backend(pg_backend_pid())`.execute(database.query);
    await expect(end).rejects.toMatchObject({ kind: { code: 'UNAVAILABLE' } });

    await expect(sql`select 1 as one`.execute(database.query)).resolves.toMatchObject({
      rows: [{ one: 1 }],
    });
  });

  test('processes that open a new service at once all can', async () => {
    const service = newService();
    const all = await Promise.all(
      Array.from({ length: 6 }, () => openPostgres({ url: url(), service })),
    );
    for (const database of all) await database[Symbol.asyncDispose]();

    expect(all).toHaveLength(6);
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
