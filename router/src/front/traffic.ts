import type { Logger } from '@opea/kernel/log';
import type { Metrics } from '@opea/kernel/metrics';
import type { GuardMode } from '../guards/policy.ts';
import type { Caller } from '../identity/caller.ts';
import type { EndReason } from './sessions.ts';

/** How an operation came: in one of the graph's own ways, or translated from another protocol. */
export type Transport = 'http' | 'ws' | 'sse' | 'multipart' | 'oip' | 'openai';

/** One operation as the access log tells it. */
export interface OperationRecord {
  readonly transport: Transport;
  readonly type: string;
  readonly operation: string | undefined;
  /** Hash of the document. */
  readonly document: string | undefined;
  readonly caller: Caller;
  readonly status: number;
  readonly code: string | undefined;
  readonly startedAt: number;
  /** Answers sent: one for a query, one per event for a subscription. */
  readonly answers: number;
}

/** The router's own metrics and its access log: one line per operation. */
export interface Traffic {
  operation(record: OperationRecord): void;
  /** A rate limit could not be counted. */
  uncounted(): void;
  violation(guard: string, mode: GuardMode): void;
  streamOpened(transport: Transport): void;
  streamClosed(transport: Transport): void;
  streamEnded(reason: EndReason): void;
}

export function trafficRecorder(metrics: Metrics, logger: Logger): Traffic {
  const operations = metrics.counter({
    name: 'opea_router_operations_total',
    help: 'Operations answered, by transport, type and outcome (OK or an error code).',
    labels: ['transport', 'type', 'outcome'],
  });
  const seconds = metrics.histogram({
    name: 'opea_router_operation_seconds',
    help: 'Time from the first byte of a query or mutation to its whole answer.',
    labels: ['transport', 'type'],
  });
  const violations = metrics.counter({
    name: 'opea_router_guard_violations_total',
    help: 'Requests over a limit; refused when the mode is enforce, only counted when measure.',
    labels: ['guard', 'mode'],
  });
  const uncounted = metrics.counter({
    name: 'opea_router_rate_limit_failures_total',
    help: 'Operations that passed because the shared cache could not count them.',
  });
  const open = metrics.gauge({
    name: 'opea_router_open_streams',
    help: 'Subscriptions open now.',
    labels: ['transport'],
  });
  const ended = metrics.counter({
    name: 'opea_router_streams_ended_total',
    help: 'Connections ended by the router against the will of the client.',
    labels: ['reason'],
  });

  return {
    operation(record) {
      const { transport, type, caller } = record;
      const ms = performance.now() - record.startedAt;
      operations.inc({ transport, type, outcome: record.code ?? 'OK' });
      if (type !== 'subscription') seconds.observe({ transport, type }, ms / 1000);
      logger.info(
        {
          transport,
          type,
          operation: record.operation,
          document: record.document,
          ...(caller.kind !== 'anonymous' && {
            tenant: caller.viewer.tenant,
            principal: caller.viewer.id,
          }),
          status: record.status,
          code: record.code,
          answers: record.answers,
          ms: Math.round(ms * 10) / 10,
        },
        'operation',
      );
    },
    uncounted: () => uncounted.inc(),
    violation: (guard, mode) => violations.inc({ guard, mode }),
    streamOpened: (transport) => open.inc({ transport }),
    streamClosed: (transport) => open.dec({ transport }),
    streamEnded: (reason) => ended.inc({ reason }),
  };
}
