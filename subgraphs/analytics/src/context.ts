import type { Viewer } from '@opea/kernel/auth';
import type { Clock } from '@opea/kernel/clock';
import type { Database } from '@opea/kernel/postgres';
import type { ContextSource } from '@opea/kernel/subgraph';
import type { LiveFeed } from './serving/live-feed.ts';
import { type MetricsLoader, metricsLoader } from './serving/metrics-loader.ts';
import type { ServingStore } from './serving/serving-store.ts';
import type { Tables } from './tables.ts';

/** An entity that another subgraph resolves. */
export interface EntityRef {
  readonly id: string;
}

/** What the resolvers call. */
export interface Services {
  readonly database: Database<Tables>;
  readonly serving: ServingStore;
  readonly live: LiveFeed;
  readonly clock: Clock;
}

/** What every resolver gets. */
export interface Context extends Services {
  readonly viewer: Viewer;
  readonly signal: AbortSignal;
  readonly metricsOf: MetricsLoader;
}

export function contextOf(services: Services, { viewer, request }: ContextSource): Context {
  return {
    ...services,
    viewer,
    signal: request.signal,
    metricsOf: metricsLoader(services.serving, viewer.tenant),
  };
}
