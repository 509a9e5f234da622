import { badUserInput } from '../errors/index.ts';

/** A document: any JSON object. Its id is kept beside it, not in it. */
export type Document = Readonly<Record<string, unknown>>;

export interface StoredDocument<Doc> {
  readonly id: string;
  readonly doc: Doc;
}

export type Scalar = string | number | boolean | null;

/** What one path must satisfy. A missing path equals null; order comparisons hold only between values of one type. */
export interface Condition {
  readonly $eq?: Scalar;
  readonly $ne?: Scalar;
  readonly $gt?: string | number;
  readonly $gte?: string | number;
  readonly $lt?: string | number;
  readonly $lte?: string | number;
  readonly $in?: readonly Scalar[];
  readonly $exists?: boolean;
}

/** A subset of MongoDB's filters: dotted paths, all of which must hold, with `$and` and `$or`. */
export type Filter = {
  readonly $and?: readonly Filter[];
  readonly $or?: readonly Filter[];
} & { readonly [path: string]: Scalar | Condition | readonly Filter[] | undefined };

export interface FindOptions {
  /** 1 to 1,000; default 100. */
  readonly limit?: number;
  /** Ascending by id unless given: one path and a direction; ids break ties. */
  readonly sort?: { readonly path: string; readonly direction: 'asc' | 'desc' };
  /** The id after which to go on; only without `sort`. */
  readonly after?: string;
  /** How many to leave out before the first. */
  readonly skip?: number;
}

export interface Collection<Doc extends Document> {
  /** Inserts or replaces. */
  put(id: string, doc: Doc): Promise<void>;
  get(id: string): Promise<Doc | undefined>;
  find(filter: Filter, options?: FindOptions): Promise<readonly StoredDocument<Doc>[]>;
  count(filter: Filter): Promise<number>;
  /** Whether there was one. */
  delete(id: string): Promise<boolean>;
}

/** Documents of any shape, in named collections. Names: lower case letters, digits, `_`. */
export interface DocumentStore extends AsyncDisposable {
  collection<Doc extends Document>(name: string): Collection<Doc>;
}

/** Checks a collection's name. */
export function collectionName(name: string): string {
  if (/^[a-z][a-z0-9_]{0,60}$/.test(name)) return name;
  throw new Error(`A collection's name is lower-case letters, digits and _: ${name}`);
}

/** Fills in and checks what `find` was asked for. */
export function pageOf({ limit = 100, skip = 0, sort, after }: FindOptions) {
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000) {
    throw badUserInput({ reason: 'limit must be a whole number from 1 to 1,000.' });
  }
  if (!Number.isInteger(skip) || skip < 0) {
    throw badUserInput({ reason: 'skip must be a whole number, 0 or more.' });
  }
  if (sort && after !== undefined) {
    throw badUserInput({ reason: 'after goes with the order by id only.' });
  }
  return { limit, skip, sort, after };
}
