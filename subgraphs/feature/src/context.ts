import type { Viewer } from '@opea/kernel/auth';
import type { Bus } from '@opea/kernel/bus';
import type { Clock } from '@opea/kernel/clock';
import type { Logger } from '@opea/kernel/log';
import type { Database } from '@opea/kernel/postgres';
import type { ContextSource } from '@opea/kernel/subgraph';
import DataLoader from 'dataloader';
import type { Tables } from './tables.ts';
import type { Freshness, ValueStore } from './value/value-store.ts';
import { type VectorLoader, vectorLoader } from './value/vector-loader.ts';
import type { VectorIndex, VectorStore } from './vector/vector-store.ts';
import type { FeatureView, ViewStore } from './view/view-store.ts';

/** An entity that another subgraph resolves. */
export interface EntityRef {
  readonly id: string;
}

/** What the resolvers call. */
export interface Services {
  readonly database: Database<Tables>;
  readonly views: ViewStore;
  readonly values: ValueStore;
  readonly vectors: VectorStore;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
}

export type ViewLoader = DataLoader<
  { readonly name: string; readonly version: number },
  FeatureView | undefined,
  string
>;

/** What every resolver gets. */
export interface Context extends Services {
  readonly viewer: Viewer;
  readonly correlationId: string;
  readonly signal: AbortSignal;
  readonly viewOf: ViewLoader;
  readonly vectorOf: VectorLoader;
  /** How new the values of a view are, by its name. */
  readonly freshnessOf: DataLoader<string, Freshness>;
  readonly indexOf: DataLoader<string, VectorIndex | undefined>;
  /** How many vectors an index holds, by its id. */
  readonly sizeOf: DataLoader<number, number>;
}

export function contextOf(services: Services, { viewer, request }: ContextSource): Context {
  const { correlationId, signal } = request;
  const viewOf: ViewLoader = new DataLoader(
    (refs) => services.views.findMany(viewer.tenant, refs).then((views) => [...views]),
    { cacheKeyFn: ({ name, version }) => `${name} ${version}` },
  );
  const vectorOf = vectorLoader({ values: services.values, tenant: viewer.tenant, viewOf });
  const { values, vectors } = services;
  return {
    ...services,
    viewer,
    correlationId,
    signal,
    viewOf,
    vectorOf,
    freshnessOf: new DataLoader((names) => values.freshness(viewer.tenant, names)),
    indexOf: new DataLoader((names) => vectors.findMany(viewer.tenant, names)),
    sizeOf: new DataLoader((ids) => vectors.sizes(viewer.tenant, ids)),
  };
}
