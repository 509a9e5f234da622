import { type Database, jsonValue } from '@opea/kernel/postgres';
import { valuesWritten } from '@opea/schema/events';
import { type Kysely, sql } from 'kysely';
import type { Author, Write } from '../change.ts';
import { invalidRow, viewNotFound } from '../errors.ts';
import type { FeatureField, Tables } from '../tables.ts';
import { fits } from '../view/feature-view.ts';
import { type FeatureView, newestOf } from '../view/view-store.ts';
import { entityKey, entityOf } from './entity-key.ts';
import type { Reading, StoredValue } from './feature-vector.ts';

export interface FeatureRow {
  readonly entity: unknown;
  readonly at?: Date | null | undefined;
  readonly values: unknown;
}

export interface Freshness {
  readonly entities: number;
  readonly rows: number;
  readonly newest: Date | null;
}

export interface ValueStore {
  /** Writes all rows or none. Throws FEATURE_VIEW_NOT_FOUND, INVALID_FEATURE_ROW, INVALID_ENTITY. */
  write(
    request: { view: string; rows: readonly FeatureRow[] },
    author: Author,
  ): Promise<{ result: { view: FeatureView; written: number }; position: string }>;
  /** The newest value of each field at each reading, by field name. One statement for all of a view. */
  read(
    tenant: string,
    readings: readonly Reading[],
    fields: readonly string[],
  ): Promise<readonly ReadonlyMap<string, StoredValue>[]>;
  /** The number of the view's last write: what a reading of now knows. */
  lastWrite(tenant: string, view: string): Promise<number>;
  /** In the order asked. One statement. */
  freshness(tenant: string, views: readonly string[]): Promise<readonly Freshness[]>;
}

const maxRows = 5_000;
const maxNamedEntities = 1_000;

export function valueStore(deps: { database: Database<Tables>; write: Write }): ValueStore {
  const { database, write } = deps;
  return {
    write: ({ view: name, rows }, author) =>
      write(author, async (tx, now) => {
        const view = await newestOf(tx, { name });
        if (!view) throw viewNotFound({ view: name });
        const values = checked(view, rows, now);
        const { tenant } = author.viewer;
        const number = await nextWrite(tx, tenant, name);
        await insert(tx, { tenant, view: name, writtenAt: now, number, values });
        return {
          result: { view, written: rows.length },
          facts: [written(view, rows.length, values)],
        };
      }),

    async read(tenant, readings, fields) {
      if (readings.length === 0 || fields.length === 0) return readings.map(() => new Map());
      const rows = await database.transaction((tx) => newestValues(tx, readings, fields), {
        tenant,
      });
      const found = readings.map(() => new Map<string, StoredValue>());
      for (const { reading, field, value, at } of rows)
        found[Number(reading) - 1]?.set(field, { value, at });
      return found;
    },

    async lastWrite(tenant, view) {
      const row = await database.transaction(
        (tx) =>
          tx.selectFrom('view_writes').select('number').where('view', '=', view).executeTakeFirst(),
        { tenant },
      );
      return Number(row?.number ?? 0);
    },

    async freshness(tenant, views) {
      const rows = await database.transaction((tx) => freshnessOf(tx, views), { tenant });
      const found = new Map(rows.map(({ view, ...row }) => [view, row]));
      return views.map((view) => {
        const { entities = 0, rows: count = 0, newest = null } = found.get(view) ?? {};
        return { entities: Number(entities), rows: Number(count), newest };
      });
    },
  };
}

const freshnessOf = (tx: Kysely<Tables>, views: readonly string[]) =>
  tx
    .selectFrom('feature_values')
    .select([
      'view',
      sql<string>`count(DISTINCT entity)`.as('entities'),
      sql<string>`count(DISTINCT (entity, at))`.as('rows'),
      sql<Date | null>`max(at)`.as('newest'),
    ])
    .where('view', 'in', views)
    .groupBy('view')
    .execute();

interface CheckedValue {
  readonly entity: string;
  readonly field: string;
  readonly at: Date;
  readonly value: unknown;
}

function checked(
  view: FeatureView,
  rows: readonly FeatureRow[],
  now: Date,
): readonly CheckedValue[] {
  if (rows.length < 1 || rows.length > maxRows)
    throw invalidRow({ row: rows.length, problem: `a write has 1 to ${maxRows} rows.` });
  const fields = new Map(view.fields.map((field) => [field.name, field]));
  return rows.flatMap((row, index) => {
    const entity = entityKey(view.entities, row.entity);
    const at = row.at ?? now;
    return namedValues(row.values, index).map(([field, value]) => {
      demandFits(fields.get(field), { view, field, value, index });
      return { entity, field, at, value };
    });
  });
}

function namedValues(values: unknown, index: number): readonly (readonly [string, unknown])[] {
  if (typeof values !== 'object' || values === null || Array.isArray(values))
    throw invalidRow({ row: index, problem: '`values` is an object from field to value.' });
  const entries = Object.entries(values);
  if (entries.length === 0) throw invalidRow({ row: index, problem: 'it has no value.' });
  return entries;
}

function demandFits(
  field: FeatureField | undefined,
  given: { view: FeatureView; field: string; value: unknown; index: number },
): void {
  const { view, value, index } = given;
  if (!field)
    throw invalidRow({ row: index, problem: `${view.name} has no field ${given.field}.` });
  if (!fits(field.type, value))
    throw invalidRow({ row: index, problem: `${field.name} takes ${field.type}.` });
}

/** Writers of one view take turns: a number is given out when all lower ones are committed or never will be. */
async function nextWrite(tx: Kysely<Tables>, tenant: string, view: string): Promise<string> {
  const row = await tx
    .insertInto('view_writes')
    .values({ tenant, view, number: 1 })
    .onConflict((conflict) =>
      conflict.columns(['tenant', 'view']).doUpdateSet({ number: sql`view_writes.number + 1` }),
    )
    .returning('number')
    .executeTakeFirstOrThrow();
  return String(row.number);
}

async function insert(
  tx: Kysely<Tables>,
  rows: {
    tenant: string;
    view: string;
    writtenAt: Date;
    number: string;
    values: readonly CheckedValue[];
  },
): Promise<void> {
  const { tenant, view, writtenAt, number, values } = rows;
  const payload = values.map(({ entity, field, at, value }) => [
    entity,
    field,
    at.toISOString(),
    value,
  ]);
  await sql`
    INSERT INTO feature_values (tenant, view, entity, field, at, written_at, write_number, value)
    SELECT ${tenant}, ${view}, row->>0, row->>1, (row->>2)::timestamptz, ${writtenAt}, ${number}, row->3
    FROM jsonb_array_elements(${jsonValue(payload)}) WITH ORDINALITY AS given(row, nr)
    ORDER BY nr
  `.execute(tx);
}

/** One index look-up per reading and field, however long their history is. */
async function newestValues(
  tx: Kysely<Tables>,
  readings: readonly Reading[],
  fields: readonly string[],
) {
  const asked = readings.map(({ view, entity, at, known }) => [
    view,
    entity,
    at.toISOString(),
    known,
  ]);
  const { rows } = await sql<{ reading: string; field: string; value: unknown; at: Date }>`
    SELECT asked.nr AS reading, wanted.field, newest.value, newest.at
    FROM jsonb_array_elements(${jsonValue(asked)}) WITH ORDINALITY AS asked(row, nr)
    CROSS JOIN jsonb_array_elements_text(${jsonValue(fields)}) AS wanted(field)
    CROSS JOIN LATERAL (
      SELECT value, at FROM feature_values
      WHERE tenant = current_setting('opea.tenant', true)
        AND view = asked.row->>0 AND entity = asked.row->>1 AND field = wanted.field
        AND at <= (asked.row->>2)::timestamptz
        AND write_number <= (asked.row->>3)::bigint
      ORDER BY at DESC, id DESC
      LIMIT 1
    ) AS newest
  `.execute(tx);
  return rows;
}

function written(view: FeatureView, rows: number, values: readonly CheckedValue[]) {
  const entities = [...new Set(values.map(({ entity }) => entity))];
  const watermark = values.reduce(
    (newest, { at }) => (at > newest ? at : newest),
    values[0]?.at ?? view.appliedAt,
  );
  return {
    subject: valuesWritten.subject,
    data: {
      view: view.name,
      version: view.version,
      rows,
      entities: entities.length > maxNamedEntities ? null : entities.map(entityOf),
      watermark: watermark.toISOString(),
    },
  };
}
