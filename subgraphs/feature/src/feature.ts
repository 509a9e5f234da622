import type { ContextVerifier } from '@opea/kernel/auth';
import type { Bus } from '@opea/kernel/bus';
import type { Clock } from '@opea/kernel/clock';
import { outboxRelay } from '@opea/kernel/events';
import type { Check } from '@opea/kernel/health';
import type { Logger } from '@opea/kernel/log';
import type { Metrics } from '@opea/kernel/metrics';
import type { Database } from '@opea/kernel/postgres';
import { scalarResolvers } from '@opea/kernel/scalars';
import { type Subgraph, startSubgraph } from '@opea/kernel/subgraph';
import { subgraphSdl } from '@opea/schema/sdl';
import { visiblePosition, writer } from './change.ts';
import { contextOf } from './context.ts';
import { migrations } from './migrations.ts';
import { resolvers } from './resolvers.ts';
import type { Tables } from './tables.ts';
import { valueStore } from './value/value-store.ts';
import { vectorStore } from './vector/vector-store.ts';
import { viewStore } from './view/view-store.ts';

export interface Dependencies {
  readonly database: Database<Tables>;
  readonly bus: Bus;
  readonly verifier: ContextVerifier;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface FeatureService extends AsyncDisposable {
  readonly subgraph: Subgraph;
  ready(): Promise<readonly Check[]>;
}

/** The feature store, wired: views, their values now and at any instant, and vectors searched by nearness. */
export async function startFeature(deps: Dependencies): Promise<FeatureService> {
  const { database, bus, verifier, clock, logger, metrics } = deps;
  await database.migrate(migrations);

  const relay = outboxRelay({ database, bus, logger, metrics });
  const write = writer({ database, clock });
  const stores = { database, write };
  const services = {
    database,
    bus,
    clock,
    logger,
    views: viewStore(stores),
    values: valueStore(stores),
    vectors: vectorStore(stores),
  };
  const ready = async () => [await storeCheck(database)];
  const subgraph = startSubgraph({
    name: 'feature',
    typeDefs: subgraphSdl.feature,
    resolvers: { ...scalarResolvers, ...resolvers },
    context: (source) => contextOf(services, source),
    verifier,
    logger,
    metrics,
    ready,
  });

  return {
    subgraph,
    ready,
    async [Symbol.asyncDispose]() {
      await subgraph[Symbol.asyncDispose]();
      await relay[Symbol.asyncDispose]();
    },
  };
}

async function storeCheck(database: Database<Tables>): Promise<Check> {
  try {
    await visiblePosition(database);
    return { name: 'postgres', ok: true };
  } catch {
    return { name: 'postgres', ok: false, detail: 'does not answer' };
  }
}
