/** Exact quantiles of what was measured. Throws for nothing measured. */
export function quantilesOf(samples: readonly number[]): {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
} {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (q: number): number => {
    const value = sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)];
    if (value === undefined) throw new Error('Nothing was measured');
    return value;
  };
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}
