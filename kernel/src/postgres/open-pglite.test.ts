import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { databaseContract } from './database.contract.ts';
import { type EmbeddedPostgres, openPglite } from './index.ts';

describe('the embedded PostgreSQL', { timeout: 120_000 }, () => {
  let embedded: EmbeddedPostgres;
  let folder: string;
  let opened = 0;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'opea-pglite-'));
    embedded = await openPglite({ folder: 'memory' });
  }, 120_000);
  afterAll(async () => {
    await embedded[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  databaseContract(() => {
    opened += 1;
    return embedded.database(`service_${opened}`);
  });

  test('using the database inside of its own transaction is refused instead of waiting forever', async () => {
    const database = await embedded.database('nested');

    await expect(database.transaction(() => sql`select 1`.execute(database.query))).rejects.toThrow(
      'Use the transaction that is open',
    );
  });

  test('one service may not read the tables of another, even by name', async () => {
    const one = await embedded.database('one');
    const two = await embedded.database('two');
    await one.migrate([{ name: '1', sql: 'create table own (id int)' }]);

    await expect(sql`select * from one.own`.execute(two.query)).rejects.toThrow(
      'permission denied',
    );
  });

  test('a long statement does not hold up the event loop', async () => {
    const database = await embedded.database('slow');
    let ticks = 0;
    const ticking = setInterval(() => {
      ticks += 1;
    }, 5);

    await sql`select count(*) from generate_series(1, 3000000)`.execute(database.query);

    clearInterval(ticking);
    expect(ticks).toBeGreaterThan(5);
  });

  test('what was committed survives kill -9, and the folder opens again', async () => {
    const home = path.join(folder, 'killed');
    const child = fork(new URL('./killed-writer.fixture.mjs', import.meta.url), [home], {
      execArgv: ['--conditions=source', '--import', 'tsx'],
    });
    const [acknowledged] = await once(child, 'message');
    const second = openPglite({ folder: home });
    await expect(second).rejects.toThrow(`in use by process ${child.pid}`);
    child.kill('SIGKILL');
    await once(child, 'exit');

    await using reopened = await openPglite({ folder: home });
    const database = await reopened.database('writer');
    const { rows } = await sql`select n from written order by n`.execute(database.query);

    expect(rows.length).toBeGreaterThanOrEqual(Number(acknowledged));
  });

  test('a folder that cannot be written to and one with damaged data are each one clear error', async () => {
    const file = path.join(folder, 'a-file');
    await writeFile(file, '');
    const damaged = path.join(folder, 'damaged');
    await mkdir(path.join(damaged, 'postgres'), { recursive: true });
    await writeFile(path.join(damaged, 'postgres', 'PG_VERSION'), 'nonsense');
    await writeFile(path.join(damaged, 'postgres.complete'), '');

    await expect(openPglite({ folder: path.join(file, 'x') })).rejects.toThrow('cannot be written');
    await expect(openPglite({ folder: damaged })).rejects.toThrow('cannot be opened');
  });
});
