import { badUserInput } from '@opea/kernel/errors';
import { eventFeed } from '@opea/kernel/feed';
import { clampFirst, connection, decodeCursor } from '@opea/kernel/pagination';
import { valuesWritten, vectorsUpserted, viewApplied } from '@opea/schema/events';
import { policy } from '@opea/schema/policy';
import type { Context } from './context.ts';
import { invalidEntity, viewNotFound } from './errors.ts';
import type { Resolvers } from './generated/resolvers.ts';
import { entityKey, entityOf } from './value/entity-key.ts';
import { readingOf } from './value/feature-vector.ts';
import { awaitPosition } from './visibility.ts';

const maxEntities = 1_000;
const subjects = [viewApplied.subject, valuesWritten.subject, vectorsUpserted.subject];

export const resolvers: Omit<Resolvers, 'DateTime' | 'JSON' | 'BigInt'> = {
  Query: {
    async featureView(_root, { name, version, asOf, consistency }, context) {
      await mayRead(context, consistency);
      const { views, viewer } = context;
      const ref = { name, version: version ?? undefined, asOf: asOf ?? undefined };
      return (await views.find(viewer.tenant, ref)) ?? null;
    },
    async featureViews(_root, { first, after }, context) {
      await mayRead(context);
      const page = pageOf(first, after);
      const rows = await context.views.list(context.viewer.tenant, page);
      return connection({ rows, first: page.size, after, cursorOf: ({ name }) => [name] });
    },
    async onlineFeatures(_root, asked, context) {
      await mayRead(context, asked.consistency);
      return onlineFeatures(asked, context);
    },
    async vectorIndex(_root, { name }, context) {
      await mayRead(context);
      return (await context.vectors.find(context.viewer.tenant, name)) ?? null;
    },
    async vectorIndexes(_root, { first, after }, context) {
      await mayRead(context);
      const page = pageOf(first, after);
      const rows = await context.vectors.list(context.viewer.tenant, page);
      return connection({ rows, first: page.size, after, cursorOf: ({ name }) => [name] });
    },
    async nearest(_root, { index, vector, k, filter }, context) {
      await mayRead(context);
      return context.vectors.nearest(context.viewer.tenant, { index, vector, k, filter });
    },
  },

  Mutation: {
    async applyFeatureView(_root, { input }, context) {
      mayWrite(context);
      const { name, description, entities, fields, ttlMs } = input;
      const shape = {
        name,
        description,
        entities,
        fields: fields.map((field) => ({ ...field, default: field.default ?? null })),
        ttlMs: ttlMs === null || ttlMs === undefined ? null : Number(ttlMs),
      };
      const { result: featureView, position } = await context.views.apply(shape, context);
      return { featureView, position };
    },
    async writeFeatures(_root, { input }, context) {
      mayWrite(context);
      const { result, position } = await context.values.write(input, context);
      return { featureView: result.view, written: result.written, position };
    },
    async createVectorIndex(_root, { input }, context) {
      mayWrite(context);
      const { result: vectorIndex, position } = await context.vectors.create(input, context);
      return { vectorIndex, position };
    },
    async upsertVectors(_root, { input }, context) {
      mayWrite(context);
      const { result, position } = await context.vectors.upsert(input, context);
      return { vectorIndex: result.index, upserted: result.upserted, position };
    },
  },

  Subscription: {
    featureEvents: {
      subscribe(_root, { types, after }, { viewer, bus, logger, signal }) {
        policy.demand(viewer, 'feature-events:read', viewer);
        const { tenant } = viewer;
        return eventFeed({ bus, logger, tenant, known: subjects, types, after, signal }) as never;
      },
      resolve: (event: unknown) => event as never,
    },
  },

  FeatureEvent: {
    async view({ data }, _arguments, { viewer, views }) {
      const name = data['view'] ?? data['name'];
      return typeof name === 'string'
        ? ((await views.find(viewer.tenant, { name })) ?? null)
        : null;
    },
  },

  FeatureView: {
    async __resolveReference({ name, version }, context) {
      await mayRead(context);
      return (await context.viewOf.load({ name, version })) ?? null;
    },
    appliedBy: ({ appliedBy: id }) => ({ id }),
    freshness: ({ name }, _arguments, { freshnessOf }) => freshnessOf.load(name),
  },

  FeatureVector: {
    async __resolveReference({ id }, context) {
      await mayRead(context);
      const reading = readingOf(id);
      return reading ? ((await context.vectorOf.load(reading)) ?? null) : null;
    },
    entity: ({ reading }) => entityOf(reading.entity),
    at: ({ reading }) => reading.at,
  },

  VectorIndex: {
    async __resolveReference({ name }, context) {
      await mayRead(context);
      return (await context.indexOf.load(name)) ?? null;
    },
    size: ({ id }, _arguments, { sizeOf }) => sizeOf.load(id),
  },
};

async function onlineFeatures(
  asked: {
    readonly view: string;
    readonly version?: number | null | undefined;
    readonly entities: readonly unknown[];
    readonly fields?: readonly string[] | null | undefined;
    readonly asOf?: Date | null | undefined;
  },
  { views, values, viewer, viewOf, vectorOf, clock }: Context,
) {
  const ref = { name: asked.view, version: asked.version ?? undefined };
  const view = await views.find(viewer.tenant, ref);
  if (!view) throw viewNotFound({ view: asked.view });
  if (asked.entities.length > maxEntities)
    throw invalidEntity({ problem: `At most ${maxEntities} entities at a time.` });
  viewOf.prime({ name: view.name, version: view.version }, view);
  const unknown = asked.fields?.find((name) => !view.fields.some((field) => field.name === name));
  if (unknown !== undefined)
    throw badUserInput({ field: 'fields', reason: `${view.name} has no field ${unknown}.` });
  const known = await values.lastWrite(viewer.tenant, view.name);
  const at = asked.asOf ?? clock();
  const readings = asked.entities.map((entity) => ({
    view: view.name,
    version: view.version,
    entity: entityKey(view.entities, entity),
    at,
    known,
  }));
  const vectors = await Promise.all(readings.map((reading) => vectorOf.load(reading)));
  const wanted = asked.fields ? new Set(asked.fields) : undefined;
  return vectors.flatMap((vector) => {
    if (!vector) return [];
    const chosen = vector.values.filter(({ name }) => wanted?.has(name) ?? true);
    return [{ ...vector, values: chosen }];
  });
}

async function mayRead(
  { viewer, database, signal }: Context,
  consistency?: { readonly atLeast: string } | null,
): Promise<void> {
  policy.demand(viewer, 'feature:read', viewer);
  if (consistency) await awaitPosition(database, consistency.atLeast, signal);
}

const mayWrite = ({ viewer }: Context): void => policy.demand(viewer, 'feature:write', viewer);

function pageOf(first: number, after: string | null | undefined) {
  const size = clampFirst(first);
  const cursor = decodeCursor(after)?.[0];
  return { size, limit: size + 1, after: cursor === undefined ? undefined : String(cursor) };
}
