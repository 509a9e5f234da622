import { type Database, jsonValue } from '@opea/kernel/postgres';
import { viewApplied } from '@opea/schema/events';
import type { Kysely } from 'kysely';
import { type Author, lockName, type Write } from '../change.ts';
import type { Tables, ViewRow } from '../tables.ts';
import { nextVersion, type ViewShape } from './feature-view.ts';

/** One version of a feature view. */
export interface FeatureView extends ViewShape {
  readonly version: number;
  readonly appliedBy: string;
  readonly appliedAt: Date;
}

export interface ViewRef {
  readonly name: string;
  /** The newest without it. */
  readonly version?: number | undefined;
}

export interface ViewStore {
  apply(shape: ViewShape, author: Author): Promise<{ result: FeatureView; position: string }>;
  find(
    tenant: string,
    ref: ViewRef & { asOf?: Date | undefined },
  ): Promise<FeatureView | undefined>;
  /** In the order asked, `undefined` for those that are not there. One statement. */
  findMany(
    tenant: string,
    refs: readonly { name: string; version: number }[],
  ): Promise<readonly (FeatureView | undefined)[]>;
  /** The newest version of each view after a name, by name. */
  list(
    tenant: string,
    page: { limit: number; after: string | undefined },
  ): Promise<readonly FeatureView[]>;
}

export function viewStore(deps: { database: Database<Tables>; write: Write }): ViewStore {
  const { database, write } = deps;
  return {
    apply: (shape, author) =>
      write(author, async (tx, now) => {
        const { tenant } = author.viewer;
        await lockName(tx, { kind: 'view', tenant, name: shape.name });
        const versions = await versionsOf(tx, shape.name);
        const [newest] = versions;
        const version = nextVersion(versions, shape);
        if (version === undefined && newest) return { result: newest, facts: [] };
        const view: FeatureView = {
          ...shape,
          version: version ?? 1,
          appliedBy: author.viewer.id,
          appliedAt: now,
        };
        await insert(tx, tenant, view);
        return { result: view, facts: [applied(view)] };
      }),

    find: (tenant, ref) => database.transaction((tx) => newestOf(tx, ref), { tenant }),

    async findMany(tenant, refs) {
      const names = [...new Set(refs.map(({ name }) => name))];
      const rows = await database.transaction(
        (tx) => tx.selectFrom('views').selectAll().where('name', 'in', names).execute(),
        { tenant },
      );
      const views = rows.map(asView);
      return refs.map((ref) =>
        views.find(({ name, version }) => name === ref.name && version === ref.version),
      );
    },

    async list(tenant, { limit, after }) {
      const rows = await database.transaction(
        (tx) =>
          tx
            .selectFrom('views')
            .selectAll()
            .distinctOn('name')
            .where('name', '>', after ?? '')
            .orderBy('name')
            .orderBy('version', 'desc')
            .limit(limit)
            .execute(),
        { tenant },
      );
      return rows.map(asView);
    },
  };
}

/** The version that a reference means, inside a transaction of its tenant. */
export async function newestOf(
  tx: Kysely<Tables>,
  { name, version, asOf }: ViewRef & { asOf?: Date | undefined },
): Promise<FeatureView | undefined> {
  let query = tx.selectFrom('views').selectAll().where('name', '=', name);
  if (version !== undefined) query = query.where('version', '=', version);
  if (asOf !== undefined) query = query.where('applied_at', '<=', asOf);
  const row = await query.orderBy('version', 'desc').limit(1).executeTakeFirst();
  return row && asView(row);
}

/** All versions of a view, newest first. */
async function versionsOf(tx: Kysely<Tables>, name: string): Promise<readonly FeatureView[]> {
  const all = tx.selectFrom('views').selectAll().where('name', '=', name);
  return (await all.orderBy('version', 'desc').execute()).map(asView);
}

async function insert(tx: Kysely<Tables>, tenant: string, view: FeatureView): Promise<void> {
  const { name, version, description, entities, fields, ttlMs, appliedBy, appliedAt } = view;
  await tx
    .insertInto('views')
    .values({
      tenant,
      name,
      version,
      description,
      entities: jsonValue(entities),
      fields: jsonValue(fields),
      ttl_ms: ttlMs === null ? null : String(ttlMs),
      applied_by: appliedBy,
      applied_at: appliedAt,
    })
    .execute();
}

function applied({ name, version, entities, fields, ttlMs }: FeatureView) {
  const named = fields.map((field) => ({ name: field.name, type: field.type }));
  return { subject: viewApplied.subject, data: { name, version, entities, fields: named, ttlMs } };
}

function asView(row: ViewRow): FeatureView {
  return {
    name: row.name,
    version: row.version,
    description: row.description,
    entities: row.entities,
    fields: row.fields,
    ttlMs: row.ttl_ms === null ? null : Number(row.ttl_ms),
    appliedBy: row.applied_by,
    appliedAt: row.applied_at,
  };
}
