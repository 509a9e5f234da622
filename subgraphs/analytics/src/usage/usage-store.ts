import { instantOf } from '@opea/kernel/clock';
import type { Database } from '@opea/kernel/postgres';
import { type Kysely, sql } from 'kysely';
import type { TimeRange } from '../serving/serving-metrics.ts';
import { instantAt, type ServedItem } from '../serving/slice.ts';
import type { Tables } from '../tables.ts';

/** What one principal used. */
export interface Usage {
  readonly principalId: string;
  readonly requests: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Engine time, in ms. */
  readonly computeMs: number;
}

/** Adds what was served to its principals' hours. Runs in the transaction that marks the fact as counted. */
export async function countUsage(
  tx: Kysely<Tables>,
  tenant: string,
  items: readonly ServedItem[],
): Promise<void> {
  const rows = hoursOf(tenant, items);
  if (rows.length === 0) return;
  await tx
    .insertInto('usage_hours')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['tenant', 'principal_id', 'hour']).doUpdateSet({
        requests: sql`usage_hours.requests + excluded.requests`,
        prompt_tokens: sql`usage_hours.prompt_tokens + excluded.prompt_tokens`,
        completion_tokens: sql`usage_hours.completion_tokens + excluded.completion_tokens`,
        compute_ms: sql`usage_hours.compute_ms + excluded.compute_ms`,
      }),
    )
    .execute();
}

/** Usage by principal, busiest first. Whole hours: the hour that `range.from` lies in counts entirely. */
export async function usageOf(
  database: Database<Tables>,
  tenant: string,
  range: TimeRange,
  page: { limit: number; offset: number },
): Promise<readonly Usage[]> {
  const requests = sql<string>`sum(requests)`;
  const rows = await database.transaction(
    (tx) =>
      tx
        .selectFrom('usage_hours')
        .select([
          'principal_id',
          requests.as('requests'),
          sql<string>`sum(prompt_tokens)`.as('prompt_tokens'),
          sql<string>`sum(completion_tokens)`.as('completion_tokens'),
          sql<number>`sum(compute_ms)`.as('compute_ms'),
        ])
        .where('hour', '>=', startOfHour(range.from))
        .where('hour', '<', range.to)
        .groupBy('principal_id')
        .orderBy(requests, 'desc')
        .orderBy('principal_id')
        .limit(page.limit)
        .offset(page.offset)
        .execute(),
    { tenant },
  );
  return rows.map((row) => ({
    principalId: row.principal_id,
    requests: Number(row.requests),
    promptTokens: Number(row.prompt_tokens),
    completionTokens: Number(row.completion_tokens),
    computeMs: row.compute_ms,
  }));
}

const hourMs = 3_600_000;

const startOfHour = (at: Date): Date => instantOf(Math.floor(at.getTime() / hourMs) * hourMs);

function hoursOf(tenant: string, items: readonly ServedItem[]) {
  const hours = new Map<string, ReturnType<typeof emptyHour>>();
  for (const item of items) {
    const hour = startOfHour(instantAt(item.at));
    const key = `${item.principalId} ${hour.getTime()}`;
    const row = hours.get(key) ?? emptyHour(tenant, item.principalId, hour);
    row.requests += 1;
    row.prompt_tokens += item.promptTokens ?? 0;
    row.completion_tokens += item.completionTokens ?? 0;
    row.compute_ms += item.computeMs;
    hours.set(key, row);
  }
  return [...hours.values()];
}

const emptyHour = (tenant: string, principalId: string, hour: Date) => ({
  tenant,
  principal_id: principalId,
  hour,
  requests: 0,
  prompt_tokens: 0,
  completion_tokens: 0,
  compute_ms: 0,
});
