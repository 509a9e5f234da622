/**
 * Counts of durations in buckets that grow by 5 %: a quantile read back is within 2.5 % of the true one, and
 * histograms of any number of sources add up without loss. (The idea of DDSketch, Masson et al., VLDB 2019.)
 */
export type Histogram = Readonly<Record<number, number>>;

const growth = 1.05;
const smallestMs = 0.01;

/** The bucket of a duration in ms; everything below 0.01 ms is bucket 0. */
export function bucketOf(durationMs: number): number {
  if (durationMs <= smallestMs) return 0;
  return Math.ceil(Math.log(durationMs / smallestMs) / Math.log(growth));
}

export function histogramOf(durationsMs: readonly number[]): Histogram {
  const counts: Record<number, number> = {};
  for (const duration of durationsMs) {
    const bucket = bucketOf(duration);
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  return counts;
}

export function mergeHistograms(histograms: readonly Histogram[]): Histogram {
  const counts: Record<number, number> = {};
  for (const histogram of histograms)
    for (const [bucket, count] of Object.entries(histogram))
      counts[Number(bucket)] = (counts[Number(bucket)] ?? 0) + count;
  return counts;
}

/** The duration in ms that the share `q` (0 to 1) stayed under; null when nothing was counted. */
export function quantile(histogram: Histogram, q: number): number | null {
  const buckets = Object.entries(histogram)
    .map(([bucket, count]) => ({ bucket: Number(bucket), count }))
    .toSorted((a, b) => a.bucket - b.bucket);
  const total = buckets.reduce((sum, { count }) => sum + count, 0);
  if (total === 0) return null;
  const rank = Math.max(1, Math.ceil(q * total));
  let seen = 0;
  for (const { bucket, count } of buckets) {
    seen += count;
    if (seen >= rank) return middleOf(bucket);
  }
  return null;
}

function middleOf(bucket: number): number {
  return (smallestMs * growth ** bucket * 2) / (1 + growth);
}
