import { instantOf } from '@opea/kernel/clock';
import { badUserInput } from '@opea/kernel/errors';
import { decodeCursor } from '@opea/kernel/pagination';
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../tables.ts';
import { holds } from './as-of.ts';
import type { ModelSource } from './model-source.ts';

export interface ModelsQuery {
  readonly tenant: string;
  readonly asOf: Date | undefined;
  readonly filter: {
    readonly nameContains?: string | null;
    readonly ownerId?: string | null;
    readonly hasAlias?: string | null;
  };
  readonly orderBy: 'NAME' | 'CREATED_AT';
  readonly first: number;
  readonly after: string | null | undefined;
}

/** Models by id or by name, in no order; those that are not there are left out. */
export async function findModels(
  tx: Kysely<Tables>,
  {
    tenant,
    asOf,
    ...by
  }: { readonly tenant: string; readonly asOf: Date | undefined } & (
    | { readonly ids: readonly string[] }
    | { readonly names: readonly string[] }
  ),
): Promise<readonly ModelSource[]> {
  const query = models(tx, tenant, asOf);
  const rows = await ('ids' in by
    ? query.where('models.model_id', 'in', by.ids)
    : query.where('models.name', 'in', by.names)
  ).execute();
  return rows.map((row) => ({ ...row, asOf }));
}

/** One row more than `first`, when there is one; and how many match in all. */
export async function pageModels(
  tx: Kysely<Tables>,
  { tenant, asOf, filter, orderBy, first, after }: ModelsQuery,
): Promise<{ readonly rows: readonly ModelSource[]; readonly totalCount: number }> {
  let matching = models(tx, tenant, asOf);
  const { nameContains, ownerId, hasAlias } = filter;
  if (nameContains)
    matching = matching.where(
      sql<boolean>`position(${nameContains.toLowerCase()} IN models.name) > 0`,
    );
  if (ownerId) matching = matching.where('model_details.owner_id', '=', ownerId);
  if (hasAlias)
    matching = matching.where(({ exists, selectFrom }) =>
      exists(
        selectFrom('aliases')
          .select('alias')
          .whereRef('aliases.tenant', '=', 'models.tenant')
          .whereRef('aliases.model_id', '=', 'models.model_id')
          .where('alias', '=', hasAlias)
          .where(holds('aliases', asOf)),
      ),
    );
  const { totalCount } = await matching
    .clearSelect()
    .select(sql<number>`count(*)::int`.as('totalCount'))
    .executeTakeFirstOrThrow();

  let page = matching.limit(first + 1);
  if (orderBy === 'NAME') {
    page = page.orderBy('models.name');
    const name = nameAfter(after);
    if (name !== undefined) page = page.where('models.name', '>', name);
  } else {
    page = page.orderBy('models.created_at', 'desc').orderBy('models.name');
    const point = pointAfter(after);
    if (point)
      page = page.where(({ or, and, eb }) =>
        or([
          eb('models.created_at', '<', point.createdAt),
          and([eb('models.created_at', '=', point.createdAt), eb('models.name', '>', point.name)]),
        ]),
      );
  }
  const rows = await page.execute();
  return { rows: rows.map((row) => ({ ...row, asOf })), totalCount };
}

/** What a model's cursor in this order is made of. */
export const modelCursor =
  (orderBy: ModelsQuery['orderBy']) =>
  ({ name, createdAt }: ModelSource): readonly (string | number)[] =>
    orderBy === 'NAME' ? [name] : [createdAt.getTime(), name];

function models(tx: Kysely<Tables>, tenant: string, asOf: Date | undefined) {
  return tx
    .selectFrom('models')
    .innerJoin('model_details', (join) =>
      join
        .onRef('model_details.tenant', '=', 'models.tenant')
        .onRef('model_details.model_id', '=', 'models.model_id'),
    )
    .where('models.tenant', '=', tenant)
    .where(holds('model_details', asOf))
    .select([
      'models.model_id as id',
      'models.name',
      'model_details.description',
      'model_details.owner_id as ownerId',
      'models.created_at as createdAt',
    ]);
}

function nameAfter(after: string | null | undefined): string | undefined {
  const parts = decodeCursor(after);
  if (!parts) return undefined;
  const [name] = parts;
  if (parts.length === 1 && typeof name === 'string') return name;
  throw foreignCursor();
}

function pointAfter(after: string | null | undefined) {
  const parts = decodeCursor(after);
  if (!parts) return undefined;
  const [ms, name] = parts;
  if (parts.length === 2 && typeof ms === 'number' && typeof name === 'string')
    return { createdAt: instantOf(ms), name };
  throw foreignCursor();
}

const foreignCursor = () =>
  badUserInput({ reason: 'This cursor is of another order.', field: 'after' });
