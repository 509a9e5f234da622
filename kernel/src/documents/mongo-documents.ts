import {
  MongoClient,
  type Collection as MongoCollection,
  MongoError,
  type Filter as MongoFilter,
} from 'mongodb';
import type { Secret } from '../config/index.ts';
import { badUserInput, PlatformError, unavailable } from '../errors/index.ts';
import {
  type Collection,
  collectionName,
  type Document,
  type DocumentStore,
  type Filter,
  pageOf,
} from './document-store.ts';

export interface MongoOptions {
  readonly url: string | Secret;
  readonly database: string;
  /** How long a server may take to be found, and one operation to be answered; default 5,000 ms. */
  readonly timeoutMs?: number;
}

interface Kept {
  readonly _id: string;
  readonly doc: Document;
}

/** Documents in MongoDB (5 or newer). Every failure of the server is UNAVAILABLE. */
export async function mongoDocuments(options: MongoOptions): Promise<DocumentStore> {
  const { url, database, timeoutMs = 5_000 } = options;
  const client = new MongoClient(typeof url === 'string' ? url : url.reveal(), {
    serverSelectionTimeoutMS: timeoutMs,
    socketTimeoutMS: timeoutMs * 2,
    appName: 'opea',
  });
  await answered(client.connect());
  const db = client.db(database);

  return {
    collection: <Doc extends Document>(name: string) =>
      over<Doc>(db.collection<Kept>(collectionName(name))),
    async [Symbol.asyncDispose]() {
      await client.close();
    },
  };
}

function over<Doc extends Document>(kept: MongoCollection<Kept>): Collection<Doc> {
  return {
    async put(id, doc) {
      const content: Document = JSON.parse(JSON.stringify(doc));
      await answered(kept.replaceOne({ _id: id }, { doc: content }, { upsert: true }));
    },

    async get(id) {
      const found = await answered(kept.findOne({ _id: id }));
      return found === null ? undefined : (found.doc as Doc);
    },

    async find(filter, options = {}) {
      const { limit, skip, sort, after } = pageOf(options);
      const later = after === undefined ? {} : { _id: { $gt: after } };
      const found = await answered(
        kept
          .find(
            { $and: [translated(filter), later] },
            {
              limit,
              skip,
              sort: sort ? { [`doc.${sort.path}`]: sort.direction, _id: 1 } : { _id: 1 },
            },
          )
          .toArray(),
      );
      return found.map(({ _id, doc }) => ({ id: _id, doc: doc as Doc }));
    },

    async count(filter) {
      return answered(kept.countDocuments(translated(filter)));
    },

    async delete(id) {
      const { deletedCount } = await answered(kept.deleteOne({ _id: id }));
      return deletedCount > 0;
    },
  };
}

const operators = new Set(['$eq', '$ne', '$gt', '$gte', '$lt', '$lte', '$in', '$exists']);

/** The same filter on the path where the document is kept, with nothing in it but our subset. */
function translated(filter: Filter): MongoFilter<Kept> {
  const parts = Object.entries(filter).flatMap(([key, value]) => {
    if (value === undefined) return [];
    if (key === '$and' || key === '$or') return [{ [key]: filtersOf(key, value) }];
    if (key.startsWith('$')) throw badUserInput({ reason: `${key} is not an operator.` });
    return [{ [`doc.${key}`]: conditionOf(key, value) }];
  });
  return parts.length === 0 ? {} : { $and: parts };
}

function filtersOf(key: string, value: unknown): MongoFilter<Kept>[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw badUserInput({ reason: `${key} takes a list of at least one filter.` });
  }
  return value.map((part: Filter) => translated(part));
}

function conditionOf(path: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    throw badUserInput({ reason: `${path}: a list is not a condition; use $in.` });
  }
  const names = Object.keys(value);
  if (names.length === 0) throw badUserInput({ reason: `${path}: an empty condition.` });
  for (const name of names) {
    if (!operators.has(name)) throw badUserInput({ reason: `${name} is not an operator.` });
  }
  return value;
}

async function answered<Answer>(work: Promise<Answer>): Promise<Answer> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof PlatformError || !(error instanceof MongoError)) throw error;
    throw unavailable({ retryAfterMs: 1_000 }, error);
  }
}
