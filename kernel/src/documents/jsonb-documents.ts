import { type RawBuilder, sql } from 'kysely';
import { badUserInput } from '../errors/index.ts';
import type { AnyDatabase, Migration } from '../postgres/index.ts';
import {
  type Collection,
  type Condition,
  collectionName,
  type Document,
  type DocumentStore,
  type Filter,
  pageOf,
  type Scalar,
  type StoredDocument,
} from './document-store.ts';

/** The table of the documents; a service that keeps some lists it among its migrations. */
export const documentMigrations: readonly Migration[] = [
  {
    name: 'kernel-001-documents',
    sql: `
      create table documents (
        collection text not null,
        id text collate "C" not null,
        doc jsonb not null,
        primary key (collection, id)
      );
      create index documents_doc on documents using gin (doc jsonb_path_ops);
    `,
  },
];

/** Documents as JSONB in a service's own database. */
export function jsonbDocuments(database: AnyDatabase): DocumentStore {
  return {
    collection: <Doc extends Document>(name: string) =>
      collection<Doc>(database, collectionName(name)),
    async [Symbol.asyncDispose]() {},
  };
}

interface Row<Doc> {
  readonly id: string;
  readonly doc: Doc;
}

function collection<Doc extends Document>({ query }: AnyDatabase, name: string): Collection<Doc> {
  const rowsOf = async (statement: RawBuilder<Row<Doc>>) => (await statement.execute(query)).rows;
  return {
    async put(id, doc) {
      await sql`insert into documents (collection, id, doc)
        values (${name}, ${id}, ${JSON.stringify(doc)}::text::jsonb)
        on conflict (collection, id) do update set doc = excluded.doc`.execute(query);
    },

    async get(id) {
      const rows = await rowsOf(
        sql`select id, doc from documents where collection = ${name} and id = ${id}`,
      );
      return rows[0]?.doc;
    },

    find(filter, options = {}): Promise<readonly StoredDocument<Doc>[]> {
      const { limit, skip, sort, after } = pageOf(options);
      const order = sort
        ? sql`${valueAt(sort.path)} ${sql.raw(sort.direction)} nulls ${sql.raw(sort.direction === 'asc' ? 'first' : 'last')}, id`
        : sql`id`;
      return rowsOf(sql`select id, doc from documents
        where collection = ${name} and ${condition(filter)} and id > ${after ?? ''}
        order by ${order} limit ${limit} offset ${skip}`);
    },

    async count(filter) {
      const { rows } = await sql<{
        n: string;
      }>`select count(*) as n from documents where collection = ${name} and ${condition(filter)}`.execute(
        query,
      );
      return Number(rows[0]?.n ?? 0);
    },

    async delete(id) {
      const rows = await rowsOf(
        sql`delete from documents where collection = ${name} and id = ${id} returning id, doc`,
      );
      return rows.length > 0;
    },
  };
}

function condition(filter: Filter): RawBuilder<boolean> {
  const parts = Object.entries(filter).flatMap(([key, value]) => {
    if (value === undefined) return [];
    if (key === '$and' || key === '$or') return [combined(key, value)];
    return [atPath(key, value)];
  });
  return parts.length === 0 ? sql`true` : sql`(${sql.join(parts, sql` and `)})`;
}

function combined(key: '$and' | '$or', value: unknown): RawBuilder<boolean> {
  if (!Array.isArray(value) || value.length === 0) {
    throw badUserInput({ reason: `${key} takes a list of at least one filter.` });
  }
  const parts = value.map((part: Filter) => condition(part));
  return sql`(${sql.join(parts, key === '$and' ? sql` and ` : sql` or `)})`;
}

function atPath(path: string, value: Filter[string]): RawBuilder<boolean> {
  if (typeof value !== 'object' || value === null) return equals(path, value ?? null);
  if (isList(value)) throw badUserInput({ reason: `${path}: a list is not a condition; use $in.` });
  const parts = Object.entries(value).map(([operator, operand]) => apply(path, operator, operand));
  if (parts.length === 0) throw badUserInput({ reason: `${path}: an empty condition.` });
  return sql`(${sql.join(parts, sql` and `)})`;
}

function apply(
  path: string,
  operator: string,
  operand: Condition[keyof Condition],
): RawBuilder<boolean> {
  switch (operator) {
    case '$eq':
      return equals(path, scalar(operand));
    case '$ne':
      return sql`not ${equals(path, scalar(operand))}`;
    case '$gt':
      return compared(path, sql`>`, operand);
    case '$gte':
      return compared(path, sql`>=`, operand);
    case '$lt':
      return compared(path, sql`<`, operand);
    case '$lte':
      return compared(path, sql`<=`, operand);
    case '$in':
      if (!isList(operand)) throw badUserInput({ reason: '$in takes a list.' });
      if (operand.length === 0) return sql`false`;
      return sql`(${sql.join(
        operand.map((each) => equals(path, scalar(each))),
        sql` or `,
      )})`;
    case '$exists':
      return sql`(${valueAt(path)} is not null) = ${operand === true}`;
    default:
      throw badUserInput({ reason: `${operator} is not an operator.` });
  }
}

const valueAt = (path: string): RawBuilder<unknown> => sql`doc #> ${path.split('.')}::text[]`;

function equals(path: string, value: Scalar): RawBuilder<boolean> {
  const json = JSON.stringify(value);
  return value === null
    ? sql`coalesce(${valueAt(path)} = 'null'::jsonb, true)`
    : sql`coalesce(${valueAt(path)} = ${json}::text::jsonb or (jsonb_typeof(${valueAt(path)}) = 'array' and ${valueAt(path)} @> ${json}::text::jsonb), false)`;
}

/** Numbers compare with numbers, texts with texts (by code point); everything else does not hold. */
function compared(
  path: string,
  operator: RawBuilder<unknown>,
  operand: unknown,
): RawBuilder<boolean> {
  const at = valueAt(path);
  if (typeof operand === 'number') {
    return sql`(case when jsonb_typeof(${at}) = 'number' then (${at})::text::numeric ${operator} ${operand}::numeric else false end)`;
  }
  if (typeof operand === 'string') {
    return sql`(case when jsonb_typeof(${at}) = 'string' then (doc #>> ${path.split('.')}::text[]) collate "C" ${operator} ${operand} else false end)`;
  }
  throw badUserInput({ reason: 'Order is compared with numbers and texts only.' });
}

function scalar(value: unknown): Scalar {
  const isScalar =
    value === null ||
    typeof value === 'string' ||
    typeof value === 'number' ||
    typeof value === 'boolean';
  if (isScalar) return value;
  throw badUserInput({ reason: 'Expected a text, a number, a boolean or null.' });
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}
