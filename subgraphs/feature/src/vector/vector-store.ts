import { type Database, jsonValue } from '@opea/kernel/postgres';
import { vectorsUpserted } from '@opea/schema/events';
import { type Kysely, sql } from 'kysely';
import { type Author, lockName, type Write } from '../change.ts';
import { indexExists, indexNotFound, invalidVector, invalidView } from '../errors.ts';
import type { Tables, VectorMetric } from '../tables.ts';

export interface VectorIndex {
  readonly id: number;
  readonly name: string;
  readonly dimensions: number;
  readonly metric: VectorMetric;
  readonly createdAt: Date;
}

export interface StoredVector {
  readonly key: string;
  readonly vector: readonly number[];
  readonly metadata?: unknown;
}

export interface Neighbour {
  readonly key: string;
  /** By the index's metric; smaller is nearer. */
  readonly distance: number;
  readonly metadata: unknown;
}

export interface Search {
  readonly index: string;
  readonly vector: readonly number[];
  readonly k: number;
  readonly filter: unknown;
}

export interface VectorStore {
  create(
    wanted: { name: string; dimensions: number; metric: VectorMetric },
    author: Author,
  ): Promise<{ result: VectorIndex; position: string }>;
  upsert(
    request: { index: string; vectors: readonly StoredVector[] },
    author: Author,
  ): Promise<{ result: { index: VectorIndex; upserted: number }; position: string }>;
  nearest(tenant: string, search: Search): Promise<readonly Neighbour[]>;
  find(tenant: string, name: string): Promise<VectorIndex | undefined>;
  /** In the order asked, `undefined` for those that are not there. One statement. */
  findMany(tenant: string, names: readonly string[]): Promise<readonly (VectorIndex | undefined)[]>;
  list(
    tenant: string,
    page: { limit: number; after: string | undefined },
  ): Promise<readonly VectorIndex[]>;
  /** How many vectors each index holds, by its id, in the order asked. One statement. */
  sizes(tenant: string, ids: readonly number[]): Promise<readonly number[]>;
}

const metrics = {
  COSINE: { operator: sql.raw('<=>'), operators: sql.raw('vector_cosine_ops') },
  L2: { operator: sql.raw('<->'), operators: sql.raw('vector_l2_ops') },
  INNER_PRODUCT: { operator: sql.raw('<#>'), operators: sql.raw('vector_ip_ops') },
} as const;

const maxDimensions = 2_000;
const maxVectors = 1_000;
const maxNeighbours = 100;
/** pgvector computes in single precision: within these, no sum of squares of 2,000 numbers overflows or vanishes. */
const largest = 1e15;
const smallestSquares = 1e-30;

/** Vectors in pgvector. Each index is a partial HNSW index over the shared table: approximate, and fast. */
export function vectorStore(deps: { database: Database<Tables>; write: Write }): VectorStore {
  const { database, write } = deps;
  return {
    create: (wanted, author) =>
      write(author, async (tx, now) => {
        demandValidIndex(wanted);
        const { tenant } = author.viewer;
        await lockName(tx, { kind: 'index', tenant, name: wanted.name });
        const existing = await find(tx, wanted.name);
        if (existing && !sameIndex(existing, wanted)) throw indexExists({ index: wanted.name });
        const result = existing ?? (await create(tx, { ...wanted, tenant, now }));
        return { result, facts: [] };
      }),

    upsert: ({ index: name, vectors }, author) =>
      write(author, async (tx) => {
        const index = await find(tx, name);
        if (!index) throw indexNotFound({ index: name });
        demandValidVectors(index, vectors);
        await upsert(tx, { index, tenant: author.viewer.tenant, vectors });
        const data = { index: name, keys: vectors.length };
        return {
          result: { index, upserted: vectors.length },
          facts: [{ subject: vectorsUpserted.subject, data }],
        };
      }),

    nearest: (tenant, search) => database.transaction((tx) => nearest(tx, search), { tenant }),

    find: (tenant, name) => database.transaction((tx) => find(tx, name), { tenant }),

    async findMany(tenant, names) {
      const rows = await database.transaction(
        (tx) => tx.selectFrom('vector_indexes').selectAll().where('name', 'in', names).execute(),
        { tenant },
      );
      const found = new Map(rows.map((row) => [row.name, asIndex(row)]));
      return names.map((name) => found.get(name));
    },

    async list(tenant, { limit, after }) {
      const rows = await database.transaction(
        (tx) =>
          tx
            .selectFrom('vector_indexes')
            .selectAll()
            .where('name', '>', after ?? '')
            .orderBy('name')
            .limit(limit)
            .execute(),
        { tenant },
      );
      return rows.map(asIndex);
    },

    async sizes(tenant, ids) {
      const rows = await database.transaction(
        (tx) =>
          tx
            .selectFrom('vectors')
            .select(['index_id', sql<string>`count(*)`.as('size')])
            .where('index_id', 'in', ids)
            .groupBy('index_id')
            .execute(),
        { tenant },
      );
      const found = new Map(rows.map((row) => [row.index_id, Number(row.size)]));
      return ids.map((id) => found.get(id) ?? 0);
    },
  };
}

async function find(tx: Kysely<Tables>, name: string): Promise<VectorIndex | undefined> {
  const row = await tx
    .selectFrom('vector_indexes')
    .selectAll()
    .where('name', '=', name)
    .executeTakeFirst();
  return row && asIndex(row);
}

async function create(
  tx: Kysely<Tables>,
  wanted: { tenant: string; name: string; dimensions: number; metric: VectorMetric; now: Date },
): Promise<VectorIndex> {
  const { tenant, name, dimensions, metric, now } = wanted;
  const row = await tx
    .insertInto('vector_indexes')
    .values({ tenant, name, dimensions, metric, created_at: now })
    .returningAll()
    .executeTakeFirstOrThrow();
  const { operators } = metrics[metric];
  await sql`
    CREATE INDEX ${sql.id(`vectors_hnsw_${row.id}`)} ON vectors
    USING hnsw ((embedding::vector(${sql.lit(dimensions)})) ${operators})
    WHERE index_id = ${sql.lit(row.id)}
  `.execute(tx);
  return asIndex(row);
}

async function upsert(
  tx: Kysely<Tables>,
  given: { index: VectorIndex; tenant: string; vectors: readonly StoredVector[] },
): Promise<void> {
  const { index, tenant, vectors } = given;
  // In the order of keys: two writers of the same ones wait for each other and never in a circle.
  const inOrder = vectors.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  const rows = inOrder.map(({ key, vector, metadata }) => [
    key,
    JSON.stringify(vector),
    metadata ?? {},
  ]);
  await sql`
    INSERT INTO vectors (index_id, tenant, key, embedding, metadata)
    SELECT ${index.id}, ${tenant}, row->>0, (row->>1)::vector, row->2
    FROM jsonb_array_elements(${jsonValue(rows)}) WITH ORDINALITY AS given(row, nr)
    ORDER BY nr
    ON CONFLICT (index_id, key) DO UPDATE
    SET embedding = excluded.embedding, metadata = excluded.metadata
  `.execute(tx);
}

async function nearest(tx: Kysely<Tables>, search: Search): Promise<readonly Neighbour[]> {
  const { vector, k, filter } = search;
  const index = await find(tx, search.index);
  if (!index) throw indexNotFound({ index: search.index });
  if (k < 1 || k > maxNeighbours)
    throw invalidVector({ problem: `k is 1 to ${maxNeighbours}, not ${k}.` });
  demandDimensions(index, vector, 'The vector');
  if (filter !== undefined && filter !== null && !isObject(filter))
    throw invalidVector({ problem: 'The filter is an object.' });
  await sql`SELECT set_config('hnsw.ef_search', '120', true)`.execute(tx);
  await sql`SELECT set_config('hnsw.iterative_scan', 'strict_order', true)`.execute(tx);
  const column = sql`(embedding::vector(${sql.lit(index.dimensions)}))`;
  const distance = sql`${column} ${metrics[index.metric].operator} ${JSON.stringify(vector)}::vector(${sql.lit(index.dimensions)})`;
  const { rows } = await sql<Neighbour>`
    SELECT key, metadata, ${distance} AS distance
    FROM vectors
    WHERE index_id = ${sql.lit(index.id)}
      ${isObject(filter) ? sql`AND metadata @> ${jsonValue(filter)}` : sql``}
    ORDER BY ${distance}
    LIMIT ${k}
  `.execute(tx);
  return rows;
}

function demandValidIndex(wanted: { name: string; dimensions: number }): void {
  const { name, dimensions } = wanted;
  if (!/^[a-z][a-z0-9._-]{1,63}$/.test(name))
    throw invalidView({
      problem: 'A name has 2 to 64 lower-case letters, digits, -, _ or . and begins with a letter.',
      field: 'name',
    });
  if (dimensions < 1 || dimensions > maxDimensions)
    throw invalidVector({ problem: `An index has 1 to ${maxDimensions} dimensions.` });
}

function demandValidVectors(index: VectorIndex, vectors: readonly StoredVector[]): void {
  if (vectors.length < 1 || vectors.length > maxVectors)
    throw invalidVector({ problem: `1 to ${maxVectors} vectors at a time.` });
  if (new Set(vectors.map(({ key }) => key)).size < vectors.length)
    throw invalidVector({ problem: 'A key comes twice.' });
  for (const { key, vector, metadata } of vectors) {
    if (key === '' || key.length > 256)
      throw invalidVector({ problem: 'A key has 1 to 256 characters.' });
    demandDimensions(index, vector, `The vector ${key}`);
    if (metadata !== undefined && metadata !== null && !isObject(metadata))
      throw invalidVector({ problem: `The metadata of ${key} is an object.` });
  }
}

function demandDimensions(index: VectorIndex, vector: readonly number[], what: string): void {
  if (vector.length !== index.dimensions)
    throw invalidVector({
      problem: `${what} has ${vector.length} numbers, ${index.name} takes ${index.dimensions}.`,
    });
  if (vector.some((number) => Math.abs(number) > largest))
    throw invalidVector({ problem: `${what} has a number beyond ±${largest}.` });
  const squares = vector.reduce((sum, number) => sum + number * number, 0);
  if (index.metric === 'COSINE' && squares < smallestSquares)
    throw invalidVector({ problem: `${what} is zero or nearly: it has no direction to compare.` });
}

const sameIndex = (a: VectorIndex, b: { dimensions: number; metric: VectorMetric }): boolean =>
  a.dimensions === b.dimensions && a.metric === b.metric;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function asIndex(row: {
  readonly id: number;
  readonly name: string;
  readonly dimensions: number;
  readonly metric: VectorMetric;
  readonly created_at: Date;
}): VectorIndex {
  const { id, name, dimensions, metric, created_at: createdAt } = row;
  return { id, name, dimensions, metric, createdAt };
}
