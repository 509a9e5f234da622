import { badUserInput } from '@opea/kernel/errors';
import { decodeCursor } from '@opea/kernel/pagination';
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../tables.ts';
import { happened, holds } from './as-of.ts';
import type { AliasSource, VersionSource } from './model-source.ts';

export interface Scope {
  readonly tenant: string;
  readonly asOf: Date | undefined;
}

/** Versions by id, in no order; those that are not there are left out. */
export async function findVersions(
  tx: Kysely<Tables>,
  { ids, ...scope }: Scope & { readonly ids: readonly string[] },
): Promise<readonly VersionSource[]> {
  const rows = await versions(tx, scope).where('version_id', 'in', ids).execute();
  return rows.map(toSource(scope));
}

/** For each model, the newest `first` + 1 of its versions below `before`, newest first. */
export async function pageVersions(
  tx: Kysely<Tables>,
  {
    modelIds,
    first,
    before,
    ...scope
  }: Scope & {
    readonly modelIds: readonly string[];
    readonly first: number;
    readonly before: number | undefined;
  },
): Promise<readonly VersionSource[]> {
  let ranked = versions(tx, scope)
    .where('model_id', 'in', modelIds)
    .select(sql<number>`row_number() OVER (PARTITION BY model_id ORDER BY number DESC)`.as('rank'));
  if (before !== undefined) ranked = ranked.where('number', '<', before);
  const rows = await tx
    .selectFrom(ranked.as('ranked'))
    .selectAll()
    .where('rank', '<=', first + 1)
    .orderBy('number', 'desc')
    .execute();
  return rows.map(toSource(scope));
}

/** What a version's cursor is made of. */
export const versionCursor = ({ number }: VersionSource): readonly number[] => [number];

/** The version number in a cursor of ours: a page goes on below it. */
export function numberBefore(after: string | null | undefined): number | undefined {
  const parts = decodeCursor(after);
  if (!parts) return undefined;
  const [number] = parts;
  if (parts.length === 1 && typeof number === 'number' && Number.isSafeInteger(number))
    return number;
  throw badUserInput({ field: 'after', reason: 'This cursor is not one of ours.' });
}

/** How many versions each model has. A model without any is left out. */
export async function countVersions(
  tx: Kysely<Tables>,
  { modelIds, tenant, asOf }: Scope & { readonly modelIds: readonly string[] },
): Promise<ReadonlyMap<string, number>> {
  const rows = await tx
    .selectFrom('versions')
    .where('tenant', '=', tenant)
    .where('model_id', 'in', modelIds)
    .where(happened('published_at', asOf))
    .groupBy('model_id')
    .select(['model_id', sql<number>`count(*)::int`.as('count')])
    .execute();
  return new Map(rows.map(({ model_id, count }) => [model_id, count]));
}

/** Versions by their model and number. */
export async function findNumbered(
  tx: Kysely<Tables>,
  {
    keys,
    ...scope
  }: Scope & { readonly keys: readonly { readonly modelId: string; readonly number: number }[] },
): Promise<readonly VersionSource[]> {
  const rows = await versions(tx, scope)
    .where(({ or, and, eb }) =>
      or(
        keys.map(({ modelId, number }) =>
          and([eb('model_id', '=', modelId), eb('number', '=', number)]),
        ),
      ),
    )
    .execute();
  return rows.map(toSource(scope));
}

/** Where the aliases of these models, or those at these versions, point; by name. */
export async function findAliases(
  tx: Kysely<Tables>,
  {
    tenant,
    asOf,
    ...by
  }: Scope &
    ({ readonly modelIds: readonly string[] } | { readonly versionIds: readonly string[] }),
): Promise<readonly AliasSource[]> {
  const query = tx
    .selectFrom('aliases')
    .where('tenant', '=', tenant)
    .where(holds('aliases', asOf))
    .select([
      'alias as name',
      'model_id as modelId',
      'version_id as versionId',
      'valid_from as movedAt',
      'moved_by as movedBy',
    ])
    .orderBy('alias');
  const rows = await ('modelIds' in by
    ? query.where('model_id', 'in', by.modelIds)
    : query.where('version_id', 'in', by.versionIds)
  ).execute();
  return rows.map((row) => ({ ...row, asOf }));
}

/** Versions published with one of these feature views, newest first; each with the view it answers for. */
export async function findUsers(
  tx: Kysely<Tables>,
  {
    views,
    ...scope
  }: Scope & { readonly views: readonly { readonly name: string; readonly version: number }[] },
): Promise<readonly (VersionSource & { readonly view: { name: string; version: number } })[]> {
  const rows = await versions(tx, scope)
    .innerJoin('version_features as use', (join) =>
      join
        .onRef('use.tenant', '=', 'versions.tenant')
        .onRef('use.version_id', '=', 'versions.version_id'),
    )
    .where(({ or, and, eb }) =>
      or(
        views.map(({ name, version }) =>
          and([eb('use.view_name', '=', name), eb('use.view_version', '=', version)]),
        ),
      ),
    )
    .select(['use.view_name', 'use.view_version'])
    .orderBy('published_at', 'desc')
    .orderBy('versions.version_id', 'desc')
    .execute();
  const source = toSource(scope);
  return rows.map(({ view_name, view_version, ...row }) => ({
    ...source(row),
    view: { name: view_name, version: view_version },
  }));
}

function versions(tx: Kysely<Tables>, { tenant, asOf }: Scope) {
  return tx
    .selectFrom('versions')
    .where('versions.tenant', '=', tenant)
    .where(happened('versions.published_at', asOf))
    .select([
      'versions.version_id as id',
      'model_id as modelId',
      'number',
      'kind',
      'description',
      'files',
      'signature',
      'features',
      'parents as parentIds',
      'lineage',
      'published_by as publishedBy',
      'published_at as publishedAt',
      'retired_at as retiredAt',
    ]);
}

type VersionRow = Omit<VersionSource, 'state' | 'asOf'> & { readonly retiredAt: Date | null };

const toSource =
  ({ asOf }: Scope) =>
  ({ retiredAt, ...row }: VersionRow): VersionSource => ({
    ...row,
    state: retiredAt && (!asOf || retiredAt <= asOf) ? 'RETIRED' : 'PUBLISHED',
    asOf,
  });
