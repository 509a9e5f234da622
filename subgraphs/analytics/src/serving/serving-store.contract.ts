import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { migrations } from '../migrations.ts';
import { servedItem } from '../testing/served-facts.ts';
import { type Ground, openGround } from '../testing/test-analytics.ts';
import { usageOf } from '../usage/usage-store.ts';
import { type ServingMetrics, summarise } from './serving-metrics.ts';
import { type ServingStore, servingStore } from './serving-store.ts';
import type { ServedItem } from './slice.ts';

const hour = { from: new Date('2025-12-31T23:00:00Z'), to: new Date('2026-01-01T00:00:00Z') };
const page = { limit: 10, offset: 0 };
const at = (second: number) => new Date(hour.from.getTime() + second * 1_000).toISOString();

/** What the store promises, whatever it stands on. */
export function servingStoreContract(open: Parameters<typeof openGround>[0]): void {
  let ground: Ground;
  let database: Awaited<ReturnType<Ground['database']>>;
  let store: ServingStore;
  beforeAll(async () => {
    ground = await openGround(open);
    database = await ground.database();
    await database.migrate(migrations);
    store = servingStore(database);
  });
  afterAll(() => ground?.[Symbol.asyncDispose]());

  let nr = 0;
  const newTenant = () => `tnt_${(nr += 1)}`;
  const newEvent = () => `evt_${(nr += 1)}`;
  const count = (tenant: string, items: readonly ServedItem[], eventId = newEvent()) =>
    store.count({ eventId, tenant, items });
  const metricsOf = async (tenant: string, range = hour, versionId = 'ver_digits') =>
    summarise(await store.slices(tenant, [versionId], range), range, 60_000);

  test('a fact that is delivered ten times, also at once, counts once', async () => {
    const tenant = newTenant();
    const eventId = newEvent();
    const items = [servedItem(), servedItem({ outcome: 'OVERLOADED' })];
    const counted = await Promise.all(
      Array.from({ length: 10 }, () => count(tenant, items, eventId)),
    );

    expect(counted.filter(Boolean)).toHaveLength(1);
    expect(await metricsOf(tenant)).toMatchObject({ requests: 2, errors: 1 });
    expect(await usageOf(database, tenant, hour, page)).toMatchObject([{ requests: 2 }]);
  });

  test('rolling up keeps every figure, however the facts came', async () => {
    const item = fc
      .record({
        second: fc.integer({ min: 0, max: 3_599 }),
        outcome: fc.constantFrom('OK', 'OK', 'OVERLOADED'),
        kind: fc.constantFrom('PREDICTION' as const, 'GENERATION' as const),
        versionId: fc.constantFrom('ver_digits', 'ver_other'),
        totalMs: fc.double({ min: 0, max: 60_000, noNaN: true }),
        rows: fc.integer({ min: 1, max: 8 }),
        promptTokens: fc.nat(100),
        completionTokens: fc.nat(100),
      })
      .map(({ second, ...rest }) => servedItem({ ...rest, at: at(second), batchSize: 8 }));
    const facts = fc.array(fc.array(item, { minLength: 1, maxLength: 12 }), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(facts, fc.integer({ min: 0, max: 60 }), async (all, minute) => {
        const tenant = newTenant();
        for (const items of all) await count(tenant, items);
        const versions = ['ver_digits', 'ver_other'];
        const everything = () => Promise.all(versions.map((id) => metricsOf(tenant, hour, id)));
        const before = await everything();
        const busiest = await store.busiest(tenant, hour, page);
        await store.rollUp(new Date(at(minute * 60)));
        const partly = await everything();
        await store.rollUp(hour.to);
        const wholly = await everything();

        expect(partly.map(rounded)).toEqual(before.map(rounded));
        expect(wholly.map(rounded)).toEqual(before.map(rounded));
        expect(await store.busiest(tenant, hour, page)).toEqual(busiest);
        expect(await store.rollUp(hour.to)).toBe(0);
      }),
      { numRuns: 8 },
    );
  });

  test('a fact that comes after its minute was rolled up counts too', async () => {
    const tenant = newTenant();
    await count(tenant, [servedItem({ at: at(5) })]);
    await store.rollUp(hour.to);
    await count(tenant, [servedItem({ at: at(7) })]);
    await store.rollUp(hour.to);

    expect(await metricsOf(tenant)).toMatchObject({ requests: 2, buckets: [{ requests: 2 }] });
  });

  test('what is older than its time is forgotten, and nothing else', async () => {
    const [tenant, other] = [newTenant(), newTenant()];
    await count(tenant, [servedItem({ at: at(0) }), servedItem({ at: at(120) })]);
    await count(other, [servedItem({ at: at(0) })]);
    await store.forget({ slices: new Date(at(60)), processed: new Date(0) });

    expect(await metricsOf(tenant)).toMatchObject({ requests: 1 });
    expect(await metricsOf(other)).toMatchObject({ requests: 0 });
  });

  test('a fact that was counted is remembered until its mark is forgotten', async () => {
    const tenant = newTenant();
    const eventId = newEvent();
    await count(tenant, [servedItem()], eventId);
    await store.forget({ slices: new Date(0), processed: new Date(0) });
    expect(await count(tenant, [servedItem()], eventId)).toBe(false);
    await store.forget({ slices: new Date(0), processed: new Date(Date.now() + 60_000) });

    expect(await count(tenant, [servedItem()], eventId)).toBe(true);
  });

  test('a window begins with its first instant and ends before its last', async () => {
    const tenant = newTenant();
    await count(tenant, [servedItem({ at: at(10) }), servedItem({ at: at(20) })]);
    const range = (from: number, to: number) => ({
      from: new Date(at(from)),
      to: new Date(at(to)),
    });

    expect(await metricsOf(tenant, range(10, 20))).toMatchObject({ requests: 1 });
    expect(await metricsOf(tenant, range(10, 21))).toMatchObject({ requests: 2 });
    expect(await metricsOf(tenant, range(11, 20))).toMatchObject({ requests: 0 });
  });

  describe('a tenant', () => {
    test('sees its own figures alone, of the same version and principal too', async () => {
      const [one, two] = [newTenant(), newTenant()];
      await count(one, [servedItem()]);
      await count(two, [servedItem(), servedItem()]);

      expect(await metricsOf(one)).toMatchObject({ requests: 1 });
      expect(await store.busiest(one, hour, page)).toEqual([
        { versionId: 'ver_digits', requests: 1 },
      ]);
      expect(await usageOf(database, one, hour, page)).toMatchObject([{ requests: 1 }]);
    });

    test('is needed to see any row', async () => {
      await count(newTenant(), [servedItem()]);

      expect(await database.query.selectFrom('slices').selectAll().execute()).toEqual([]);
      expect(await database.query.selectFrom('usage_hours').selectAll().execute()).toEqual([]);
    });
  });

  test('usage is summed by principal over whole hours, busiest first', async () => {
    const tenant = newTenant();
    const bob = { principalId: 'prn_bob', kind: 'GENERATION' as const };
    await count(tenant, [
      servedItem({ at: '2025-12-31T22:59:59.999Z' }),
      servedItem({ at: at(1) }),
      servedItem({ ...bob, at: at(2), promptTokens: 3, completionTokens: 5 }),
    ]);
    await count(tenant, [
      servedItem({ ...bob, at: at(3_599), promptTokens: 4, completionTokens: 6 }),
      servedItem({ at: at(3_600) }),
    ]);

    expect(await usageOf(database, tenant, { ...hour, from: new Date(at(1_800)) }, page)).toEqual([
      { principalId: 'prn_bob', requests: 2, promptTokens: 7, completionTokens: 11, computeMs: 8 },
      { principalId: 'prn_ada', requests: 1, promptTokens: 0, completionTokens: 0, computeMs: 4 },
    ]);
  });
}

/** Sums of floating-point numbers depend on their order in the last digits. */
const rounded = (metrics: ServingMetrics): unknown =>
  JSON.parse(
    JSON.stringify(metrics, (_, value: unknown) =>
      typeof value === 'number' ? Number(value.toPrecision(9)) : value,
    ),
  );
