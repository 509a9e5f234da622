import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export interface MetricOptions {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

/** The metrics of one process, made at start and passed in. Asking twice for a name gives the same metric. */
export interface Metrics {
  readonly registry: Registry;
  counter(options: MetricOptions): Counter;
  gauge(options: MetricOptions): Gauge;
  /** Buckets are upper bounds in the metric's unit; the default suits seconds from 1 ms to 10 s. */
  histogram(options: MetricOptions & { readonly buckets?: readonly number[] }): Histogram;
}

const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10];

/** `processMetrics` adds memory, garbage collection and event loop lag of this process. */
export function createMetrics({ processMetrics = false } = {}): Metrics {
  const registry = new Registry();
  if (processMetrics) collectDefaultMetrics({ register: registry });
  const made = new Map<string, Counter | Gauge | Histogram>();

  return {
    registry,
    counter: (options) =>
      once(made, options.name, Counter, () => new Counter(settings(registry, options))),
    gauge: (options) =>
      once(made, options.name, Gauge, () => new Gauge(settings(registry, options))),
    histogram: ({ buckets = secondsBuckets, ...options }) =>
      once(
        made,
        options.name,
        Histogram,
        () => new Histogram({ ...settings(registry, options), buckets: [...buckets] }),
      ),
  };
}

/** All metrics in the Prometheus text format. */
export const metricsText = (metrics: Metrics): Promise<string> => metrics.registry.metrics();

export const metricsContentType = 'text/plain; version=0.0.4; charset=utf-8';

export type { Counter, Gauge, Histogram, Registry } from 'prom-client';

function settings(registry: Registry, { name, help, labels = [] }: MetricOptions) {
  return { name, help, labelNames: [...labels], registers: [registry] };
}

function once<Metric extends Counter | Gauge | Histogram>(
  made: Map<string, Counter | Gauge | Histogram>,
  name: string,
  kind: abstract new (...args: never[]) => Metric,
  make: () => Metric,
): Metric {
  const existing = made.get(name);
  if (existing instanceof kind) return existing;
  if (existing) throw new Error(`The metric ${name} already exists as another kind`);
  const metric = make();
  made.set(name, metric);
  return metric;
}
