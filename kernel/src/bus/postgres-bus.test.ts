import { performance } from 'node:perf_hooks';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newId } from '../ids/index.ts';
import { type EmbeddedPostgres, openPglite } from '../postgres/index.ts';
import { busContract } from './bus.contract.ts';
import { postgresBus } from './index.ts';

describe('the embedded bus', { timeout: 60_000 }, () => {
  let embedded: EmbeddedPostgres;

  beforeAll(async () => {
    embedded = await openPglite({ folder: 'memory' });
  }, 120_000);
  afterAll(() => embedded[Symbol.asyncDispose]());
  beforeEach(async () => {
    const bus = await embedded.database('bus');
    await sql`drop table if exists migrations, dead_letters, consumers, messages`.execute(
      bus.query,
    );
  });

  busContract(async () => ({
    bus: await postgresBus(embedded),
    reopen: () => postgresBus(embedded),
  }));

  test('publishing reaches the handler in 20 ms, or in the time of ten statements where the machine is that busy', async () => {
    await using bus = await postgresBus(embedded);
    const delays: number[] = [];
    let arrived = () => {};
    await bus.consume({
      durable: 'quick',
      subjects: ['>'],
      handle: ({ data }) => {
        delays.push(performance.now() - Number(data));
        arrived();
      },
    });

    for (let n = 0; n < 30; n += 1) {
      const arrival = new Promise<void>((resolve) => {
        arrived = resolve;
      });
      await bus.publish([{ subject: 'a.b.v1', id: newId(), data: performance.now() }]);
      await arrival;
    }

    const database = await embedded.database('bus');
    const statements: number[] = [];
    for (let n = 0; n < 30; n += 1) {
      const start = performance.now();
      await sql`select 1`.execute(database.query);
      statements.push(performance.now() - start);
    }
    expect(median(delays)).toBeLessThan(Math.max(20, 10 * median(statements)));
  });
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
