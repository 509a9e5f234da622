import { instantOf } from '@opea/kernel/clock';
import { quantile } from './latency-histogram.ts';
import { addSlices, type Slice } from './slice.ts';

export interface TimeRange {
  readonly from: Date;
  readonly to: Date;
}

/** How a model version served in a window. Durations in ms. */
export interface ServingMetrics extends TimeRange {
  readonly requests: number;
  readonly errors: number;
  readonly errorRate: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  readonly meanQueueMs: number | null;
  readonly meanBatchSize: number | null;
  readonly batchEfficiency: number | null;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly timeToFirstTokenP50Ms: number | null;
  readonly buckets: readonly ServingBucket[];
}

export interface ServingBucket extends TimeRange {
  readonly requests: number;
  readonly errors: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly meanBatchSize: number | null;
}

/** Sums the slices of one version up, over the whole window and per bucket of `everyMs`. */
export function summarise(
  slices: readonly Slice[],
  range: TimeRange,
  everyMs: number,
): ServingMetrics {
  const [first, ...others] = slices;
  if (!first) return { ...range, ...nothing };
  const whole = addSlices(first, others);
  const answered = whole.requests - whole.errors;
  return {
    ...range,
    requests: whole.requests,
    errors: whole.errors,
    errorRate: whole.requests === 0 ? 0 : whole.errors / whole.requests,
    p50Ms: quantile(whole.latency, 0.5),
    p95Ms: quantile(whole.latency, 0.95),
    p99Ms: quantile(whole.latency, 0.99),
    meanQueueMs: answered === 0 ? null : whole.queueMs / answered,
    meanBatchSize: meanBatchSize(whole),
    batchEfficiency:
      whole.predictions === 0 ? null : Math.max(0, 1 - whole.executions / whole.predictions),
    promptTokens: whole.promptTokens,
    completionTokens: whole.completionTokens,
    timeToFirstTokenP50Ms: quantile(whole.firstToken, 0.5),
    buckets: bucketsOf(slices, range, everyMs),
  };
}

const nothing = {
  requests: 0,
  errors: 0,
  errorRate: 0,
  p50Ms: null,
  p95Ms: null,
  p99Ms: null,
  meanQueueMs: null,
  meanBatchSize: null,
  batchEfficiency: null,
  promptTokens: 0,
  completionTokens: 0,
  timeToFirstTokenP50Ms: null,
  buckets: [],
};

const meanBatchSize = ({ rows, executions }: Slice): number | null =>
  executions === 0 ? null : rows / executions;

function bucketsOf(
  slices: readonly Slice[],
  range: TimeRange,
  everyMs: number,
): readonly ServingBucket[] {
  const groups = new Map<number, Slice[]>();
  for (const slice of slices) {
    const start = Math.floor(slice.at.getTime() / everyMs) * everyMs;
    const group = groups.get(start) ?? [];
    groups.set(start, group);
    group.push(slice);
  }
  return [...groups]
    .toSorted(([a], [b]) => a - b)
    .flatMap(([start, [first, ...others]]) => {
      if (!first) return [];
      const sum = addSlices(first, others);
      const from = instantOf(Math.max(start, range.from.getTime()));
      const to = instantOf(Math.min(start + everyMs, range.to.getTime()));
      return [{ from, to, ...bucketFigures(sum) }];
    });
}

const bucketFigures = (sum: Slice) => ({
  requests: sum.requests,
  errors: sum.errors,
  p50Ms: quantile(sum.latency, 0.5),
  p95Ms: quantile(sum.latency, 0.95),
  promptTokens: sum.promptTokens,
  completionTokens: sum.completionTokens,
  meanBatchSize: meanBatchSize(sum),
});
