import type { Metrics } from '@opea/kernel/metrics';
import type { SchedulerObserver } from '../scheduling/batch.ts';

const batchSizes = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024];
const seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The runtime's metrics: Triton's `nv_inference_*` under our prefix where they mean the same, durations in seconds. */
export interface RuntimeMetrics {
  schedulerOf(model: string): SchedulerObserver;
  answered(model: string, outcome: string, totalMs: number): void;
  readonly host: {
    loaded(model: string, ms: number): void;
    loadFailed(model: string): void;
    unloaded(model: string): void;
  };
  workerRestarted(): void;
  cache(outcome: 'HIT' | 'MISS'): void;
  circuit(versionId: string, state: 'CLOSED' | 'OPEN' | 'HALF_OPEN'): void;
  /** Read when metrics are scraped. */
  gauges(read: () => Iterable<{ model: string; pending: number; bytes: number }>): void;
}

export function runtimeMetrics(metrics: Metrics): RuntimeMetrics {
  const model = ['model'];
  const requests = metrics.counter({
    name: 'opea_inference_request_total',
    help: 'Requests answered, by outcome: OK or an error code',
    labels: ['model', 'outcome'],
  });
  const requestSeconds = metrics.histogram({
    name: 'opea_inference_request_duration_seconds',
    help: 'From arrival to answer',
    labels: model,
    buckets: seconds,
  });
  const queueSeconds = metrics.histogram({
    name: 'opea_inference_queue_duration_seconds',
    help: 'From arrival to the start of the execution',
    labels: model,
    buckets: seconds,
  });
  const computeSeconds = metrics.histogram({
    name: 'opea_inference_compute_infer_duration_seconds',
    help: 'Time of an execution inside the engine',
    labels: model,
    buckets: seconds,
  });
  const executions = metrics.counter({
    name: 'opea_inference_exec_count',
    help: 'Executions, each of one batch',
    labels: model,
  });
  const inferences = metrics.counter({
    name: 'opea_inference_count',
    help: 'Rows executed: a batch of n counts n',
    labels: model,
  });
  const batchRows = metrics.histogram({
    name: 'opea_inference_batch_size',
    help: 'Rows of an execution, by why it was dispatched',
    labels: ['model', 'reason'],
    buckets: batchSizes,
  });
  const rejections = metrics.counter({
    name: 'opea_inference_rejected_total',
    help: 'Requests refused or dropped before they ran, by reason',
    labels: ['model', 'reason'],
  });
  const loadSeconds = metrics.histogram({
    name: 'opea_model_load_duration_seconds',
    help: 'From the decision to load to a warm model',
    labels: model,
    buckets: [...seconds, 30, 60],
  });
  const loadFailures = metrics.counter({
    name: 'opea_model_load_failed_total',
    help: 'Versions that could not be loaded',
    labels: model,
  });
  const restarts = metrics.counter({
    name: 'opea_engine_worker_restarts_total',
    help: 'Engine workers that died and were replaced',
  });
  const cached = metrics.counter({
    name: 'opea_inference_cache_total',
    help: 'Predictions looked up in the result cache, by outcome',
    labels: ['outcome'],
  });
  const circuits = metrics.gauge({
    name: 'opea_inference_circuit_state',
    help: 'Circuit of a version: 0 closed, 1 half open, 2 open',
    labels: ['version'],
  });
  const pending = metrics.gauge({
    name: 'opea_inference_pending_request_count',
    help: 'Requests that wait for an execution',
    labels: model,
  });
  const residentBytes = metrics.gauge({
    name: 'opea_model_resident_bytes',
    help: 'Memory a loaded version takes',
    labels: model,
  });

  return {
    schedulerOf: (name) => ({
      refused: (reason) => rejections.inc({ model: name, reason }),
      dropped: (reason) => rejections.inc({ model: name, reason }),
      dispatched: ({ rows, reason }) => batchRows.observe({ model: name, reason }, rows),
      waited: (ms) => queueSeconds.observe({ model: name }, ms / 1_000),
      executed({ rows, computeMs }) {
        executions.inc({ model: name });
        inferences.inc({ model: name }, rows);
        computeSeconds.observe({ model: name }, computeMs / 1_000);
      },
    }),
    answered(name, outcome, totalMs) {
      requests.inc({ model: name, outcome });
      requestSeconds.observe({ model: name }, totalMs / 1_000);
    },
    host: {
      loaded: (name, ms) => loadSeconds.observe({ model: name }, ms / 1_000),
      loadFailed: (name) => loadFailures.inc({ model: name }),
      unloaded(name) {
        pending.remove({ model: name });
        residentBytes.remove({ model: name });
      },
    },
    workerRestarted: () => restarts.inc(),
    cache: (outcome) => cached.inc({ outcome }),
    circuit: (version, state) =>
      circuits.set({ version }, state === 'CLOSED' ? 0 : state === 'OPEN' ? 2 : 1),
    gauges(read) {
      const collect = () => {
        for (const { model: name, pending: count, bytes } of read()) {
          pending.set({ model: name }, count);
          residentBytes.set({ model: name }, bytes);
        }
      };
      Object.assign(pending, { collect });
    },
  };
}
