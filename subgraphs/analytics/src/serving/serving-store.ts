import { instantOf } from '@opea/kernel/clock';
import { type Database, jsonValue } from '@opea/kernel/postgres';
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../tables.ts';
import { countUsage } from '../usage/usage-store.ts';
import type { TimeRange } from './serving-metrics.ts';
import { addSlices, type ServedItem, type Slice, slicesOf } from './slice.ts';

const secondMs = 1_000;
const minuteMs = 60_000;
/** Rows per statement: PostgreSQL takes 65,535 parameters. */
const maxInserted = 1_000;

/** What was served, by tenant, version and time. */
export interface ServingStore {
  /** Counts a fact once, however often it is delivered. False when it was counted before. */
  count(fact: { eventId: string; tenant: string; items: readonly ServedItem[] }): Promise<boolean>;
  slices(
    tenant: string,
    versionIds: readonly string[],
    range: TimeRange,
  ): Promise<readonly Slice[]>;
  /** Every version asked in the range, with how often, busiest first. */
  busiest(
    tenant: string,
    range: TimeRange,
    page: { limit: number; offset: number },
  ): Promise<readonly { versionId: string; requests: number }[]>;
  /** Merges second slices older than `before` into minutes. Returns how many were merged. */
  rollUp(before: Date): Promise<number>;
  /** Forgets slices and processed marks older than these. */
  forget(older: { slices: Date; processed: Date }): Promise<void>;
}

export function servingStore(database: Database<Tables>): ServingStore {
  return {
    count: ({ eventId, tenant, items }) =>
      database.transaction(
        async (tx) => {
          const fresh = await markProcessed(tx, eventId);
          if (!fresh) return false;
          await knowTenant(tx, tenant);
          await insertSlices(tx, tenant, slicesOf(items, secondMs), false);
          await countUsage(tx, tenant, items);
          return true;
        },
        { tenant },
      ),

    async slices(tenant, versionIds, range) {
      if (versionIds.length === 0) return [];
      const rows = await database.transaction(
        (tx) =>
          tx
            .selectFrom('slices')
            .selectAll()
            .where('version_id', 'in', versionIds)
            .where('at', '>=', range.from)
            .where('at', '<', range.to)
            .execute(),
        { tenant },
      );
      return rows.map(asSlice);
    },

    async busiest(tenant, range, { limit, offset }) {
      const requests = sql<string>`sum((figures->>'requests')::bigint)`;
      const rows = await database.transaction(
        (tx) =>
          tx
            .selectFrom('slices')
            .select(['version_id', requests.as('requests')])
            .where('at', '>=', range.from)
            .where('at', '<', range.to)
            .groupBy('version_id')
            .orderBy(requests, 'desc')
            .orderBy('version_id')
            .limit(limit)
            .offset(offset)
            .execute(),
        { tenant },
      );
      return rows.map((row) => ({ versionId: row.version_id, requests: Number(row.requests) }));
    },

    async rollUp(before) {
      let merged = 0;
      for (const tenant of await tenants())
        merged += await database.transaction((tx) => rollUp(tx, tenant, before), { tenant });
      return merged;
    },

    async forget(older) {
      for (const tenant of await tenants())
        await database.transaction(
          (tx) => tx.deleteFrom('slices').where('at', '<', older.slices).execute(),
          { tenant },
        );
      await database.query.deleteFrom('processed').where('at', '<', older.processed).execute();
    },
  };

  async function tenants(): Promise<readonly string[]> {
    const rows = await database.query.selectFrom('tenants').select('tenant').execute();
    return rows.map(({ tenant }) => tenant);
  }
}

async function knowTenant(tx: Kysely<Tables>, tenant: string): Promise<void> {
  const known = tx.insertInto('tenants').values({ tenant });
  await known.onConflict((conflict) => conflict.doNothing()).execute();
}

async function markProcessed(tx: Kysely<Tables>, eventId: string): Promise<boolean> {
  const inserted = await tx
    .insertInto('processed')
    .values({ event_id: eventId })
    .onConflict((conflict) => conflict.doNothing())
    .returning('event_id')
    .executeTakeFirst();
  return inserted !== undefined;
}

async function insertSlices(
  tx: Kysely<Tables>,
  tenant: string,
  slices: readonly Slice[],
  rolledUp: boolean,
): Promise<void> {
  if (slices.length === 0) return;
  const rows = slices.map(({ modelId, model, versionId, at, ...figures }) => ({
    tenant,
    model_id: modelId,
    model,
    version_id: versionId,
    at,
    rolled_up: rolledUp,
    figures: jsonValue(figures),
  }));
  await tx.insertInto('slices').values(rows).execute();
}

/** Merges the tenant's own slices: nobody else's can be seen here. */
async function rollUp(tx: Kysely<Tables>, tenant: string, before: Date): Promise<number> {
  const rows = await tx
    .deleteFrom('slices')
    .where('rolled_up', '=', false)
    .where('at', '<', before)
    .returningAll()
    .execute();
  const minutes = new Map<string, Slice[]>();
  for (const row of rows) {
    const at = instantOf(Math.floor(row.at.getTime() / minuteMs) * minuteMs);
    const key = `${row.version_id} ${at.getTime()}`;
    const minute = minutes.get(key) ?? [];
    minutes.set(key, minute);
    minute.push({ ...asSlice(row), at });
  }
  const sums = [...minutes.values()].flatMap(([first, ...others]) =>
    first ? [addSlices(first, others)] : [],
  );
  for (let from = 0; from < sums.length; from += maxInserted)
    await insertSlices(tx, tenant, sums.slice(from, from + maxInserted), true);
  return rows.length;
}

function asSlice(row: {
  readonly model_id: string;
  readonly model: string;
  readonly version_id: string;
  readonly at: Date;
  readonly figures: Tables['slices']['figures'];
}): Slice {
  const { model_id: modelId, model, version_id: versionId, at, figures } = row;
  return { modelId, model, versionId, at, ...figures };
}
