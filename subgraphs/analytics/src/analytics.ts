import type { ContextVerifier } from '@opea/kernel/auth';
import type { Bus } from '@opea/kernel/bus';
import type { Clock } from '@opea/kernel/clock';
import type { Check } from '@opea/kernel/health';
import type { Logger } from '@opea/kernel/log';
import type { Metrics } from '@opea/kernel/metrics';
import type { Database } from '@opea/kernel/postgres';
import { scalarResolvers } from '@opea/kernel/scalars';
import { type Subgraph, startSubgraph } from '@opea/kernel/subgraph';
import { served } from '@opea/schema/events';
import { subgraphSdl } from '@opea/schema/sdl';
import { contextOf } from './context.ts';
import { maintain, type Retention } from './maintenance.ts';
import { migrations } from './migrations.ts';
import { resolvers } from './resolvers.ts';
import { liveFeed } from './serving/live-feed.ts';
import { servingStore } from './serving/serving-store.ts';
import type { Tables } from './tables.ts';
import { DurationScalar } from './window/duration.ts';

export interface Dependencies {
  readonly database: Database<Tables>;
  readonly bus: Bus;
  readonly verifier: ContextVerifier;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly retention?: Retention;
}

export interface AnalyticsService extends AsyncDisposable {
  readonly subgraph: Subgraph;
  ready(): Promise<readonly Check[]>;
}

const day = 86_400_000;
const defaultRetention: Retention = {
  rollUpAfterMs: 900_000,
  slicesMs: 90 * day,
  processedMs: 7 * day,
};

/** The analytics subgraph, wired: it counts what inference tells, and answers how every version serves. */
export async function startAnalytics(deps: Dependencies): Promise<AnalyticsService> {
  const { database, bus, verifier, clock, logger, metrics } = deps;
  await database.migrate(migrations);

  const serving = servingStore(database);
  const counting = await bus.consume({
    durable: 'analytics-serving',
    subjects: [served.subject],
    async handle(message) {
      const { id, tenant, data } = served.parse(message.data);
      await serving.count({ eventId: id, tenant, items: data.items });
    },
  });
  const live = liveFeed({ bus, clock, logger });
  const retention = deps.retention ?? defaultRetention;
  const maintenance = maintain({ serving, retention, clock, logger });
  const services = { database, serving, live, clock };
  const ready = async () => [await storeCheck(database)];
  const subgraph = startSubgraph({
    name: 'analytics',
    typeDefs: subgraphSdl.analytics,
    resolvers: { ...scalarResolvers, Duration: DurationScalar, ...resolvers },
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
      await live[Symbol.asyncDispose]();
      await counting[Symbol.asyncDispose]();
      await maintenance[Symbol.asyncDispose]();
    },
  };
}

async function storeCheck(database: Database<Tables>): Promise<Check> {
  try {
    await database.query.selectFrom('processed').select('event_id').limit(1).execute();
    return { name: 'postgres', ok: true };
  } catch {
    return { name: 'postgres', ok: false, detail: 'does not answer' };
  }
}
