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

  test('a handler has a message within 20 ms of its being durable, in the middle of thirty', async () => {
    await using bus = await postgresBus(embedded);
    const delays: number[] = [];
    let arrived = (_at: number) => {};
    await bus.consume({
      durable: 'quick',
      subjects: ['>'],
      handle: () => arrived(performance.now()),
    });

    for (let n = 0; n < 30; n += 1) {
      const arrival = new Promise<number>((resolve) => {
        arrived = resolve;
      });
      await bus.publish([{ subject: 'a.b.v1', id: newId(), data: n }]);
      const durable = performance.now();
      delays.push((await arrival) - durable);
    }

    expect(median(delays)).toBeLessThan(20);
  });
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
