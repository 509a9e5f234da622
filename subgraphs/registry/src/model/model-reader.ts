import type { Database } from '@opea/kernel/postgres';
import DataLoader from 'dataloader';
import type { Kysely } from 'kysely';
import type { Tables } from '../tables.ts';
import type { AliasSource, ModelSource, VersionSource } from './model-source.ts';
import { findModels, type ModelsQuery, pageModels } from './model-store.ts';
import {
  countVersions,
  findAliases,
  findNumbered,
  findUsers,
  findVersions,
  pageVersions,
} from './version-store.ts';

type AsOf = { readonly asOf: Date | undefined };
type OfModel = AsOf & { readonly modelId: string };
type ById = AsOf & { readonly id: string };
type Page = { readonly first: number; readonly before: number | undefined };
type View = AsOf & { readonly name: string; readonly version: number };

/** Reads of one operation. Asking for n things costs one statement, in one transaction bound to the tenant. */
export interface ModelReader {
  model(key: ById): Promise<ModelSource | undefined>;
  modelNamed(key: AsOf & { readonly name: string }): Promise<ModelSource | undefined>;
  models(
    query: Omit<ModelsQuery, 'tenant'>,
  ): Promise<{ readonly rows: readonly ModelSource[]; readonly totalCount: number }>;
  version(key: ById): Promise<VersionSource | undefined>;
  versionNumbered(key: OfModel & { readonly number: number }): Promise<VersionSource | undefined>;
  /** One version more than `first`, when there is one; newest first. */
  versions(key: OfModel & Page): Promise<readonly VersionSource[]>;
  versionCount(key: OfModel): Promise<number>;
  aliases(key: OfModel): Promise<readonly AliasSource[]>;
  aliasesAt(key: AsOf & { readonly versionId: string }): Promise<readonly AliasSource[]>;
  usersOf(key: View): Promise<readonly VersionSource[]>;
}

export interface ReaderOptions {
  readonly database: Database<Tables>;
  readonly tenant: string;
  readonly signal: AbortSignal;
}

export function modelReader(options: ReaderOptions): ModelReader {
  const { database, tenant, signal } = options;
  const scope = ([{ asOf }]: readonly [AsOf, ...AsOf[]]) => ({ tenant, asOf });
  const alone = <Key extends AsOf, Value>(find: Find<Key, Value>) =>
    together(options, nothing, find);

  return {
    models: (query) =>
      database.transaction((tx) => pageModels(tx, { ...query, tenant }), { tenant, signal }),
    model: alone(async (tx, keys) => {
      const found = indexed(await findModels(tx, { ...scope(keys), ids: ids(keys) }), idOf);
      return ({ id }) => found.get(id);
    }),
    modelNamed: alone(async (tx, keys) => {
      const names = unique(keys.map(nameOf));
      const found = indexed(await findModels(tx, { ...scope(keys), names }), nameOf);
      return ({ name }) => found.get(name);
    }),
    version: alone(async (tx, keys) => {
      const found = indexed(await findVersions(tx, { ...scope(keys), ids: ids(keys) }), idOf);
      return ({ id }) => found.get(id);
    }),
    versionNumbered: alone(async (tx, keys) => {
      const found = indexed(await findNumbered(tx, { ...scope(keys), keys }), numberKey);
      return (key) => found.get(numberKey(key));
    }),
    versions: together<OfModel & Page, readonly VersionSource[]>(
      options,
      pageOf,
      async (tx, keys) => {
        const query = { ...scope(keys), modelIds: modelIds(keys), ...pageOf(keys[0]) };
        const rows = grouped(await pageVersions(tx, query), modelOf);
        return ({ modelId }) => rows.get(modelId) ?? [];
      },
    ),
    versionCount: alone(async (tx, keys) => {
      const counts = await countVersions(tx, { ...scope(keys), modelIds: modelIds(keys) });
      return ({ modelId }) => counts.get(modelId) ?? 0;
    }),
    aliases: alone(async (tx, keys) => {
      const rows = await findAliases(tx, { ...scope(keys), modelIds: modelIds(keys) });
      const found = grouped(rows, modelOf);
      return ({ modelId }) => found.get(modelId) ?? [];
    }),
    aliasesAt: alone(async (tx, keys) => {
      const versionIds = unique(keys.map(({ versionId }) => versionId));
      const rows = await findAliases(tx, { ...scope(keys), versionIds });
      const found = grouped(rows, ({ versionId }) => versionId);
      return ({ versionId }) => found.get(versionId) ?? [];
    }),
    usersOf: alone(async (tx, keys) => {
      const rows = await findUsers(tx, { ...scope(keys), views: keys });
      const found = grouped(rows, ({ view }) => viewKey(view));
      return (view) => found.get(viewKey(view)) ?? [];
    }),
  };
}

/** Finds what a group of keys asks for; the answer picks one key's part. */
type Find<Key, Value> = (
  tx: Kysely<Tables>,
  keys: readonly [Key, ...Key[]],
) => Promise<(key: Key) => Value>;

/** Loads keys together that agree on instant and page. Nothing is cached: a mutation may come between. */
function together<Key extends AsOf, Value>(
  { database, tenant, signal }: ReaderOptions,
  shared: (key: Key) => unknown,
  find: Find<Key, Value>,
): (key: Key) => Promise<Value> {
  const groupOf = (key: Key) => JSON.stringify([key.asOf?.getTime(), shared(key)]);
  const loader = new DataLoader<Key, Value>(
    async (keys) => {
      const groups = grouped(keys, groupOf);
      const answers = await database.transaction(
        async (tx) => {
          const found = new Map<string, (key: Key) => Value>();
          for (const [name, [first, ...rest]] of groups)
            if (first) found.set(name, await find(tx, [first, ...rest]));
          return found;
        },
        { tenant, signal },
      );
      return keys.map((key) => {
        const answer = answers.get(groupOf(key));
        return answer ? answer(key) : new Error('A group of keys was not read');
      });
    },
    { cache: false, maxBatchSize: 1_000 },
  );
  return (key) => loader.load(key);
}

const numberKey = ({ modelId, number }: { modelId: string; number: number }) =>
  `${modelId}/${number}`;
const viewKey = ({ name, version }: { name: string; version: number }) => `${name}/${version}`;

const idOf = ({ id }: { id: string }) => id;
const nameOf = ({ name }: { name: string }) => name;
const modelOf = ({ modelId }: { modelId: string }) => modelId;
const pageOf = ({ first, before }: Page) => ({ first, before });
const nothing = () => null;
const ids = (keys: readonly { id: string }[]) => unique(keys.map(idOf));
const modelIds = (keys: readonly { modelId: string }[]) => unique(keys.map(modelOf));

const unique = (values: readonly string[]): string[] => [...new Set(values)];

const indexed = <Row>(rows: readonly Row[], keyOf: (row: Row) => string) =>
  new Map(rows.map((row) => [keyOf(row), row]));

function grouped<Row>(rows: readonly Row[], keyOf: (row: Row) => string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group) group.push(row);
    else groups.set(keyOf(row), [row]);
  }
  return groups;
}
