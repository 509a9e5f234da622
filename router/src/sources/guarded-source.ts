import { type Clock, systemClock } from '@opea/kernel/clock';
import { PlatformError } from '@opea/kernel/errors';
import type { Histogram, Metrics } from '@opea/kernel/metrics';
import { circuitBreaker, retry, retryBudget, withDeadline } from '@opea/kernel/resilience';
import type { GraphCall, GraphRequest, SubgraphEndpoint } from '@opea/kernel/subgraph';

export interface GuardedSourceOptions {
  readonly name: string;
  readonly endpoint: SubgraphEndpoint;
  readonly clock?: Clock | undefined;
  readonly metrics?: Metrics | undefined;
  /** How long one request may take, retries not counted. @default 5_000 */
  readonly timeoutMs?: number;
  /** Attempts of one query; mutations have one. @default 2 */
  readonly attempts?: number;
}

/**
 * A subgraph that cannot hold up a request: a deadline for every call, a circuit that opens when it
 * does not answer, and a second attempt for queries while a budget lasts. An answer with errors in
 * it is an answer.
 */
export function guardedSource(options: GuardedSourceOptions): SubgraphEndpoint {
  const { name, endpoint, clock = systemClock, timeoutMs = 5_000, attempts = 2 } = options;
  const breaker = circuitBreaker({ clock, isFailure: isFault });
  const budget = retryBudget();
  const durations = options.metrics && fetchDurations(options.metrics);

  async function once(request: GraphRequest, call: GraphCall) {
    const startedAt = performance.now();
    let outcome = 'error';
    try {
      const result = await breaker.run(() =>
        withDeadline(
          timeoutMs,
          (signal) => endpoint.execute(request, { headers: call.headers, signal }),
          call.signal,
        ),
      );
      outcome = result.errors ? 'partial' : 'ok';
      return result;
    } finally {
      durations?.observe({ subgraph: name, outcome }, (performance.now() - startedAt) / 1_000);
    }
  }

  return {
    execute: (request, call) =>
      isMutation(request.query)
        ? once(request, call)
        : retry(() => once(request, call), {
            attempts,
            baseMs: 20,
            budget,
            signal: call.signal,
            isRetryable: isWorthRetrying,
          }),
    subscribe: (request, call) => endpoint.subscribe(request, call),
  };
}

function fetchDurations(metrics: Metrics): Histogram {
  return metrics.histogram({
    name: 'opea_router_subgraph_request_duration_seconds',
    help: 'Time of requests to subgraphs.',
    labels: ['subgraph', 'outcome'],
  });
}

function isMutation(query: string): boolean {
  return query.startsWith('mutation');
}

/** The caller's own end is no fault of the subgraph. */
function isFault(error: unknown): boolean {
  return !(error instanceof PlatformError && error.kind.code === 'CANCELLED');
}

function isWorthRetrying(error: unknown): boolean {
  if (!(error instanceof PlatformError)) return true;
  return error.kind.code === 'UNAVAILABLE' && error.cause !== undefined;
}
