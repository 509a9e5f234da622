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
import type { InferenceRuntime } from '@opea/schema/runtime';
import { subgraphSdl } from '@opea/schema/sdl';
import { contextOf } from './context.ts';
import { generations } from './generation/generations.ts';
import { generationResolvers } from './generation/resolvers.ts';
import { Journal } from './journal/journal.ts';
import { migrations } from './migrations.ts';
import { predictions } from './prediction/predictions.ts';
import { predictionResolvers } from './prediction/resolvers.ts';
import type { Tables } from './tables.ts';

export interface Dependencies {
  readonly database: Database<Tables>;
  readonly bus: Bus;
  readonly runtime: InferenceRuntime;
  readonly verifier: ContextVerifier;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface InferenceService extends AsyncDisposable {
  readonly subgraph: Subgraph;
  ready(): Promise<readonly Check[]>;
}

/** The inference subgraph, wired: it asks the runtime, and tells everyone what was served. */
export async function startInference(deps: Dependencies): Promise<InferenceService> {
  const { database, bus, runtime, verifier, clock, logger, metrics } = deps;
  await database.migrate(migrations);

  const relay = outboxRelay({ database, bus, logger, metrics });
  const journal = new Journal({ database, clock, logger, metrics });
  const asked = { runtime, journal, clock };
  const services = {
    runtime,
    journal,
    predictions: predictions(asked),
    generations: generations(asked),
  };
  const ready = () => runtime.ready();
  const subgraph = startSubgraph({
    name: 'inference',
    typeDefs: subgraphSdl.inference,
    resolvers: {
      ...scalarResolvers,
      ...predictionResolvers,
      ...generationResolvers,
      Query: { ...predictionResolvers.Query, ...generationResolvers.Query },
      Mutation: { ...predictionResolvers.Mutation, ...generationResolvers.Mutation },
    },
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
      await services.generations[Symbol.asyncDispose]();
      await journal[Symbol.asyncDispose]();
      await relay[Symbol.asyncDispose]();
    },
  };
}
