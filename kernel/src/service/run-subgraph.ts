import { type ContextVerifier, contextVerifier, keySetFrom } from '../auth/index.ts';
import { type Bus, jetstreamBus } from '../bus/index.ts';
import { type Clock, systemClock } from '../clock/index.ts';
import { serve } from '../http/index.ts';
import { openStack, type Process, runUntilSignal } from '../lifecycle/index.ts';
import { createLogger, type Logger } from '../log/index.ts';
import { createMetrics, type Metrics } from '../metrics/index.ts';
import { type Database, openPostgres } from '../postgres/index.ts';
import type { Subgraph } from '../subgraph/index.ts';
import { startTelemetry } from '../telemetry/index.ts';
import type { SubgraphConfig } from './subgraph-shape.ts';

/** What a subgraph process stands on, on real servers. */
export interface SubgraphParts<Tables> {
  readonly database: Database<Tables>;
  readonly bus: Bus;
  readonly verifier: ContextVerifier;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface RunSubgraphOptions<Tables> {
  /** The subgraph's name in the supergraph. */
  readonly service: string;
  readonly config: SubgraphConfig;
  readonly process: Process;
  readonly start: (
    parts: SubgraphParts<Tables>,
  ) => Promise<AsyncDisposable & { readonly subgraph: Subgraph }>;
}

/** Opens the servers, starts the subgraph on them, listens, and drains when the operator asks it to stop. */
export async function runSubgraph<Tables>(options: RunSubgraphOptions<Tables>): Promise<void> {
  const { service, config, process, start } = options;
  const clock = systemClock;
  const logger = createLogger({ service, level: config.LOG_LEVEL });
  const stack = openStack();
  stack.use(startTelemetry({ service, otlpUrl: config.OTLP_URL }));
  const running = stack.use(
    await start({
      database: stack.use(await openPostgres<Tables>({ service, url: config.DATABASE_URL })),
      bus: stack.use(await jetstreamBus({ servers: config.NATS_URL.split(',') })),
      verifier: contextVerifier({
        jwks: keySetFrom(config.CONTEXT_JWKS),
        audience: `opea:${service}`,
        clock,
      }),
      clock,
      logger,
      metrics: createMetrics({ processMetrics: true }),
    }),
  );
  const { listener, onUpgrade } = running.subgraph;
  const { url } = stack.use(
    await serve(listener, { port: config.PORT, host: config.HOST, onUpgrade }),
  );
  logger.info({ url }, 'ready');
  await runUntilSignal(stack, process);
}
