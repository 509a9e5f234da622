import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { afterCommit, type Database, isUniqueViolation, jsonValue } from './index.ts';

interface Tables {
  notes: { id: number; tenant: string; body: unknown; amount: string; at: Date };
}

const notes = {
  name: '001-notes',
  sql: `create table notes (id int primary key, tenant text not null, body jsonb, amount bigint, at timestamptz);
    alter table notes enable row level security;
    alter table notes force row level security;
    create policy own on notes using (tenant = current_setting('opea.tenant', true));`,
};

/** Every database keeps these promises. `open` gives one that no test has used. */
export function databaseContract(open: () => Promise<Database<Tables>>): void {
  const insert = (tx: Database<Tables>['query'], id: number, tenant = 'acme') =>
    tx
      .insertInto('notes')
      .values({
        id,
        tenant,
        body: jsonValue([1, { a: 'b' }]),
        amount: '9007199254740993',
        at: new Date('2026-01-01T00:00:00Z'),
      })
      .execute();
  const count = (database: Database<Tables>, tenant = 'acme') =>
    database.transaction(
      async (tx) =>
        Number(
          (
            await tx
              .selectFrom('notes')
              .select(sql<string>`count(*)`.as('n'))
              .executeTakeFirstOrThrow()
          ).n,
        ),
      { tenant },
    );

  test('what a transaction wrote is there, in the same types on every adapter', async () => {
    await using database = await open();
    await database.migrate([notes]);

    await database.transaction((tx) => insert(tx, 1), { tenant: 'acme' });

    const rows = await database.transaction((tx) => tx.selectFrom('notes').selectAll().execute(), {
      tenant: 'acme',
    });
    expect(rows).toEqual([
      {
        id: 1,
        tenant: 'acme',
        body: [1, { a: 'b' }],
        amount: '9007199254740993',
        at: new Date('2026-01-01T00:00:00Z'),
      },
    ]);
  });

  test('a transaction that throws leaves nothing behind, and the next one works', async () => {
    await using database = await open();
    await database.migrate([notes]);

    const failed = database.transaction(
      async (tx) => {
        await insert(tx, 1);
        throw new Error('changed my mind');
      },
      { tenant: 'acme' },
    );

    await expect(failed).rejects.toThrow('changed my mind');
    expect(await count(database)).toBe(0);
  });

  test('an aborted transaction leaves nothing behind', async () => {
    await using database = await open();
    await database.migrate([notes]);
    const aborter = new AbortController();

    const failed = database.transaction(
      async (tx) => {
        await insert(tx, 1);
        aborter.abort();
        await insert(tx, 2);
      },
      { tenant: 'acme', signal: aborter.signal },
    );

    await expect(failed).rejects.toThrow('gave up');
    expect(await count(database)).toBe(0);
  });

  test('a statement that outlives its transaction is refused', async () => {
    await using database = await open();
    await database.migrate([notes]);

    const tx = await database.transaction((handle) => Promise.resolve({ handle }));

    await expect(insert(tx.handle, 1)).rejects.toThrow('transaction is over');
  });

  test('many transactions at once all happen', async () => {
    await using database = await open();
    await database.migrate([notes]);

    await Promise.all(
      Array.from({ length: 20 }, (_, id) =>
        database.transaction((tx) => insert(tx, id), { tenant: 'acme' }),
      ),
    );

    expect(await count(database)).toBe(20);
  });

  test('row level security shows a tenant its own rows and nobody else any', async () => {
    await using database = await open();
    await database.migrate([notes]);
    await database.transaction((tx) => insert(tx, 1, 'acme'), { tenant: 'acme' });

    expect(await count(database, 'acme')).toBe(1);
    expect(await count(database, "other' or '1'='1")).toBe(0);
    expect(await database.query.selectFrom('notes').selectAll().execute()).toEqual([]);
    await expect(
      database.transaction((tx) => insert(tx, 2, 'acme'), { tenant: 'other' }),
    ).rejects.toThrow('row-level security');
  });

  test('a second row with the same key is recognised', async () => {
    await using database = await open();
    await database.migrate([notes]);
    const write = () => database.transaction((tx) => insert(tx, 1), { tenant: 'acme' });
    await write();

    const failure = await write().catch((error: unknown) => error);

    expect(isUniqueViolation(failure, 'notes_pkey')).toBe(true);
  });

  test('migrating twice changes nothing; an edited or forgotten migration is refused', async () => {
    await using database = await open();
    await database.migrate([notes]);
    await database.migrate([notes]);

    await expect(database.migrate([{ ...notes, sql: `${notes.sql} ` }])).rejects.toThrow('edited');
    await expect(database.migrate([])).rejects.toThrow('unknown');
  });

  test('a migration that fails leaves nothing behind', async () => {
    await using database = await open();
    const broken = { name: '002', sql: 'create table half (id int); select nonsense;' };

    await expect(database.migrate([notes, broken])).rejects.toThrow('nonsense');

    await expect(database.migrate([notes])).resolves.toBeUndefined();
    await expect(sql`select * from half`.execute(database.query)).rejects.toThrow('does not exist');
  });

  test('work after a commit runs after it, and never after a rollback', async () => {
    await using database = await open();
    const seen: string[] = [];

    await database.transaction(async (tx) => {
      afterCommit(tx, () => seen.push('after'));
      seen.push('inside');
    });
    await database
      .transaction(async (tx) => {
        afterCommit(tx, () => seen.push('never'));
        throw new Error('no');
      })
      .catch(() => {});

    expect(seen).toEqual(['inside', 'after']);
  });

  test('services do not see each other', async () => {
    await using one = await open();
    await using other = await open();
    await one.migrate([notes]);

    await expect(sql`select * from notes`.execute(other.query)).rejects.toThrow('does not exist');
  });

  test('vectors can be compared', async () => {
    await using database = await open();

    const { rows } = await sql<{
      distance: number;
    }>`select ${'[1,0]'}::vector <-> ${'[0,0]'}::vector as distance`.execute(database.query);

    expect(rows).toEqual([{ distance: 1 }]);
  });
}
