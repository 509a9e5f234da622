import fc from 'fast-check';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { frozenClock } from '../clock/index.ts';
import { newId } from '../ids/index.ts';
import { silentLogger } from '../log/index.ts';
import type { Database } from '../postgres/index.ts';
import {
  comparePositions,
  eventStore,
  eventStoreMigrations,
  firstDelivery,
  type NewEvent,
  projection,
  repository,
  type StreamId,
} from './index.ts';

interface Tables {
  totals: { stream: string; sum: string };
}

const totals = {
  name: '100-totals',
  sql: 'create table totals (stream text primary key, sum bigint not null)',
};
const meta = { actor: 'ada', correlationId: 'c', causationId: 'x' };
const added = (n: number): NewEvent => ({ type: 'Added', data: { n } });

/** Every event store keeps these promises, whatever database it lies in. `open` gives an empty database. */
export function eventStoreContract(
  open: () => Promise<Database<Tables>>,
  { runs }: { readonly runs: number },
): void {
  const start = async (clock = frozenClock('2026-01-01T00:00:00Z')) => {
    const database = await open();
    await database.migrate([...eventStoreMigrations, totals]);
    const store = eventStore(database, { clock });
    return { database, store, clock, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() };
  };
  const stream = (id = newId()): StreamId => ({ type: 'counter', id, tenant: 'acme' });

  test('what is appended is loaded, with who and when, in order', async () => {
    await using given = await start();
    const { store } = given;
    const one = stream();

    const first = await store.append(one, 0, [added(1), added(2)], meta);
    const second = await store.append(one, 2, [added(3)], meta);

    expect([first.version, second.version]).toEqual([2, 3]);
    expect(comparePositions(first.position, second.position)).toBe(-1);
    expect(await store.head()).toBe(second.position);
    expect(await store.load(one)).toMatchObject([
      { type: 'Added', data: { n: 1 }, version: 1, stream: one, ...meta },
      { data: { n: 2 }, version: 2, occurredAt: new Date('2026-01-01T00:00:00Z') },
      { data: { n: 3 }, version: 3, position: second.position },
    ]);
    expect(await store.load({ ...one, tenant: 'other' })).toEqual([]);
    expect(await store.load(one, { fromVersion: 3 })).toHaveLength(1);
  });

  test('a stream can be seen as it was', async () => {
    await using given = await start();
    const { store, clock } = given;
    const one = stream();
    await store.append(one, 0, [added(1)], meta);
    const then = clock();
    clock.advance(60_000);
    await store.append(one, 1, [added(2)], meta);

    expect(await store.load(one, { asOf: then })).toHaveLength(1);
  });

  test('a wrong expected version is VERSION_CONFLICT and leaves nothing', async () => {
    await using given = await start();
    const { store } = given;
    const one = stream();
    await store.append(one, 0, [added(1)], meta);

    await expect(store.append(one, 0, [added(2)], meta)).rejects.toMatchObject({
      kind: { code: 'VERSION_CONFLICT' },
      details: { expected: 0, actual: 1 },
    });
    expect(await store.load(one)).toHaveLength(1);
    await expect(store.append(one, 'any', [added(2)], meta)).resolves.toMatchObject({ version: 2 });
  });

  test('of any number of writers at one version exactly one wins', async () => {
    await using given = await start();
    const { store } = given;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 16 }), async (writers) => {
        const one = stream();
        const outcomes = await Promise.allSettled(
          Array.from({ length: writers }, (_, n) => store.append(one, 0, [added(n)], meta)),
        );

        expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        expect(await store.load(one)).toHaveLength(1);
      }),
      { numRuns: runs },
    );
  });

  test('any JSON an event carries comes back the same, and its chain is intact', async () => {
    await using given = await start();
    const { store } = given;
    const text = fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0'));
    const json = fc
      .dictionary(text, fc.oneof(text, fc.double({ noNaN: true }), fc.integer(), fc.array(text)))
      .filter((value) => !JSON.stringify(value).includes(String.raw`\ud`))
      .map((value): unknown => JSON.parse(JSON.stringify(value)));
    await fc.assert(
      fc.asyncProperty(fc.array(json, { minLength: 1, maxLength: 5 }), async (datas) => {
        const one = stream();
        await store.append(
          one,
          0,
          datas.map((data) => ({ type: 'Said', data })),
          meta,
        );

        expect((await store.load(one)).map(({ data }) => data)).toEqual(datas);
        expect(await store.verify(one)).toEqual({ intact: true, length: datas.length });
      }),
      { numRuns: runs },
    );
  });

  test('an event that was edited, swapped or removed behind the store’s back is found', async () => {
    await using given = await start();
    const { store, database } = given;
    const edits = fc.constantFrom(
      sql`data = '{"n": 99}'::jsonb`,
      sql`actor = 'eve'`,
      sql`occurred_at = occurred_at + interval '1 ms'`,
      sql`type = 'Taken'`,
      sql`version = version + 100`,
      sql`id = gen_random_uuid()`,
    );
    await fc.assert(
      fc.asyncProperty(edits, fc.integer({ min: 1, max: 4 }), async (edit, version) => {
        const one = stream();
        await store.append(one, 0, [added(1), added(2), added(3), added(4)], meta);
        await sql`update events set ${edit} where stream_id = ${one.id} and version = ${version}`.execute(
          database.query,
        );

        expect(await store.verify(one)).toEqual({ intact: false, brokenAt: version });
      }),
      { numRuns: runs },
    );
  });

  test('a reader that follows while many write sees every event once, in order', async () => {
    await using given = await start();
    const { store } = given;
    const seen: string[] = [];
    let after = '0';
    let writing = true;

    const reading = (async () => {
      for (;;) {
        const last = !writing;
        const events = await store.readAll({ after, limit: 7 });
        seen.push(...events.map(({ id }) => id));
        after = events.at(-1)?.position ?? after;
        if (last && events.length === 0) return;
      }
    })();
    const streams = Array.from({ length: 6 }, () => stream());
    await Promise.all(
      streams.map(async (one) => {
        for (let version = 0; version < 8; version += 2) {
          await store.append(one, version, [added(1), added(2)], meta);
        }
      }),
    );
    writing = false;
    await reading;

    const stored = (await Promise.all(streams.map((one) => store.load(one)))).flat();
    expect(seen).toHaveLength(48);
    expect(new Set(seen)).toEqual(new Set(stored.map(({ id }) => id)));
  });

  test('a transaction that fails takes its events with it', async () => {
    await using given = await start();
    const { store, database } = given;
    const one = stream();

    await database
      .transaction(async (tx) => {
        await store.append(one, 0, [added(1)], meta, { tx });
        throw new Error('no');
      })
      .catch(() => {});

    expect(await store.load(one)).toEqual([]);
    expect(await store.head()).toBe('0');
  });

  test('a projection rebuilt from the first event equals the one that lived along', async () => {
    await using given = await start();
    const { store, database } = given;
    await using sums = projection<Tables>({
      name: 'totals',
      store,
      database,
      logger: silentLogger,
      handle: addUp,
      reset: async (tx) => void (await sql`truncate totals`.execute(tx)),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: -9, max: 9 })), {
          minLength: 1,
          maxLength: 12,
        }),
        async (history) => {
          let position = '0';
          for (const [at, n] of history) {
            ({ position } = await store.append(stream(`s${at}`), 'any', [added(n)], meta));
          }
          await sums.waitFor(position);
          const lived = await readTotals(database);

          await sums.rebuild();

          expect(await readTotals(database)).toEqual(lived);
        },
      ),
      { numRuns: Math.ceil(runs / 3) },
    );
  });

  test('two projectors of one name count nothing twice', async () => {
    await using given = await start();
    const { store, database } = given;
    const options = {
      name: 'totals',
      store,
      database,
      logger: silentLogger,
      handle: addUp,
      pollMs: 5,
    };
    await using one = projection<Tables>(options);
    await using two = projection<Tables>(options);
    let position = '0';
    for (let n = 0; n < 20; n += 1) {
      ({ position } = await store.append(stream('s'), 'any', [added(1)], meta));
    }

    await Promise.all([one.waitFor(position), two.waitFor(position)]);

    expect(await readTotals(database)).toEqual([{ stream: 's', sum: '20' }]);
  });

  test('an event that cannot be handled is set aside with its cause, and the next ones follow', async () => {
    await using given = await start();
    const { store, database } = given;
    await using sums = projection<Tables>({
      name: 'totals',
      store,
      database,
      logger: silentLogger,
      async handle(tx, event) {
        if (numberIn(event.data) === 13) throw new Error('poison');
        await addUp(tx, event);
      },
    });
    const { position } = await store.append(stream('s'), 0, [added(1), added(13), added(2)], meta);

    await sums.waitFor(position, { timeoutMs: 10_000 });

    expect(await readTotals(database)).toEqual([{ stream: 's', sum: '3' }]);
    const failures = await sql`select cause from projection_failures`.execute(database.query);
    expect(failures.rows).toEqual([{ cause: 'Error: poison' }]);
  });

  test('ten deliveries of one message have one effect', async () => {
    await using given = await start();
    const { database } = given;
    const deliver = () =>
      database.transaction(async (tx) => {
        if (await firstDelivery(tx, { consumer: 'usage', id: 'm-1' })) {
          await sql`insert into totals values ('effect', 1)
            on conflict (stream) do update set sum = totals.sum + 1`.execute(tx);
        }
      });

    await Promise.all(Array.from({ length: 10 }, deliver));

    expect(await readTotals(database)).toEqual([{ stream: 'effect', sum: '1' }]);
  });

  test('old events are lifted when they are read, and their chain still holds', async () => {
    await using given = await start();
    const { database, clock } = given;
    const store = eventStore(database, {
      clock,
      upcasters: { Added: { 1: (data) => ({ amount: numberIn(data) }) } },
    });
    const one = stream();
    await store.append(one, 0, [added(4)], meta);
    await store.append(one, 1, [{ type: 'Added', data: { amount: 5 }, schemaVersion: 2 }], meta);

    expect((await store.load(one)).map(({ data }) => data)).toEqual([{ amount: 4 }, { amount: 5 }]);
    expect(await store.verify(one)).toEqual({ intact: true, length: 2 });
  });

  test('sixteen commands on one aggregate at once all take effect, one after the other', async () => {
    await using given = await start();
    const counter = repository(
      {
        initial: 0,
        evolve: (sum: number, event: { type: 'Added'; data: { n: number } }) => sum + event.data.n,
        decide: (_sum: number, n: number) => [{ type: 'Added' as const, data: { n } }],
      },
      given.store,
      { attempts: 50 },
    );
    const one = stream();

    await Promise.all(Array.from({ length: 16 }, () => counter.execute(one, 2, meta)));

    expect(await counter.load(one)).toMatchObject({ state: 32, version: 16 });
  });
}

async function addUp(
  tx: Parameters<Parameters<typeof projection<Tables>>[0]['handle']>[0],
  { stream, data }: { stream: StreamId; data: unknown },
): Promise<void> {
  await sql`insert into totals values (${stream.id}, ${numberIn(data)})
    on conflict (stream) do update set sum = totals.sum + excluded.sum`.execute(tx);
}

async function readTotals(database: Database<Tables>) {
  return database.query.selectFrom('totals').selectAll().orderBy('stream').execute();
}

function numberIn(data: unknown): number {
  return typeof data === 'object' && data !== null && 'n' in data ? Number(data.n) : 0;
}
