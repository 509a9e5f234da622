import type { BatchPolicy } from '../scheduling/policy.ts';

/** How long an execution of so many rows took, ms. */
export interface Measurement {
  readonly rows: number;
  readonly ms: number;
}

export interface TuningTarget {
  /** What 95 of 100 requests shall stay under while the worker is busy, ms. */
  readonly latencyMs: number;
}

/** Throughput this close to the best is as good; the smaller batch then wins, because everybody waits less. */
const goodEnough = 0.97;

/**
 * The batch size and queue delay with the most throughput under a latency target. A request that comes while a batch runs
 * waits for that one, then for its own: twice the execution, plus the delay. `undefined` when even single rows are too slow.
 */
export function choosePolicy(
  measurements: readonly Measurement[],
  { latencyMs }: TuningTarget,
  base: BatchPolicy,
): BatchPolicy | undefined {
  const allowed = measurements.filter(({ ms }) => 2 * ms <= latencyMs);
  const best = Math.max(...allowed.map(throughput));
  const chosen = allowed
    .toSorted((a, b) => a.rows - b.rows)
    .find((measurement) => throughput(measurement) >= goodEnough * best);
  if (chosen === undefined) return undefined;
  const spareMs = latencyMs - 2 * chosen.ms;
  // Waiting longer than a quarter of an execution gains less than it costs.
  const maxDelayMs = Math.max(0, Math.min(spareMs, chosen.ms / 4, 50));
  return { ...base, maxBatch: chosen.rows, preferredSizes: [], maxDelayMs: round(maxDelayMs) };
}

function throughput({ rows, ms }: Measurement): number {
  return rows / ms;
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
