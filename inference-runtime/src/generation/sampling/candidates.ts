import { expNonPositive } from './exponential.ts';

/** Tokens whose share of the likeliest one's probability is below e^-40 are never drawn. */
const reach = 40;
const bins = 1024;
const binsPerUnit = bins / reach;

export interface Candidates {
  /** Starts anew with every token whose score reaches; scores are divided by the temperature. */
  fill(scores: Float32Array, temperature: number): void;
  /** Keeps tokens at least `fraction` as likely as the likeliest. */
  keepAbove(fraction: number): void;
  /** Keeps the `count` likeliest; of equals, the lower token id. */
  keepCount(count: number): void;
  /** Keeps the smallest set of likeliest tokens that holds `share` of the probability left. */
  keepShare(share: number): void;
  /** The token at `point` (in [0, 1)) of the cumulative distribution in order of token id. */
  at(point: number): number;
}

/**
 * The tokens that may still be drawn. Top-k and top-p select by histogram and sort only the bin at the border, which is
 * linear in the vocabulary. The buffers are reused: one instance serves one worker.
 */
export function createCandidates(vocab: number): Candidates {
  const ids = new Int32Array(vocab);
  const depths = new Float64Array(vocab);
  const weights = new Float64Array(vocab);
  const histogram = new Float64Array(bins + 1);
  let count = 0;

  /** Keeps the likeliest tokens until their `measure` adds up to `target`. */
  function keepUntil(target: number, measure: (index: number) => number): void {
    histogram.fill(0);
    for (let index = 0; index < count; index++) {
      const bin = binOf(index);
      histogram[bin] = at(histogram, bin) + measure(index);
    }
    let border = 0;
    let sum = 0;
    while (border < bins && sum + at(histogram, border) < target) sum += at(histogram, border++);

    const kept = new Set<number>();
    const borderline: number[] = [];
    for (let index = 0; index < count; index++) if (binOf(index) === border) borderline.push(index);
    borderline.sort((a, b) => at(depths, a) - at(depths, b) || a - b);
    for (const index of borderline) {
      if (sum >= target) break;
      sum += measure(index);
      kept.add(index);
    }
    compact((index) => binOf(index) < border || kept.has(index));
  }

  function compact(keep: (index: number) => boolean): void {
    let next = 0;
    for (let index = 0; index < count; index++) {
      if (!keep(index)) continue;
      ids[next] = at(ids, index);
      depths[next] = at(depths, index);
      weights[next] = at(weights, index);
      next++;
    }
    count = next;
  }

  const binOf = (index: number) => Math.min(bins, (at(depths, index) * binsPerUnit) | 0);

  return {
    fill(scores, temperature) {
      let max = Number.NEGATIVE_INFINITY;
      for (let id = 0; id < vocab; id++) if (at(scores, id) > max) max = at(scores, id);
      const lowest = max - reach * temperature;
      count = 0;
      for (let id = 0; id < vocab; id++) {
        const score = at(scores, id);
        if (score < lowest) continue;
        const depth = (max - score) / temperature;
        ids[count] = id;
        depths[count] = depth;
        weights[count] = expNonPositive(-depth);
        count++;
      }
    },
    keepAbove: (fraction) => compact((index) => at(weights, index) >= fraction),
    keepCount(limit) {
      if (limit < count) keepUntil(limit, () => 1);
    },
    keepShare(share) {
      let total = 0;
      for (let index = 0; index < count; index++) total += at(weights, index);
      keepUntil(share * total, (index) => at(weights, index));
    },
    at(point) {
      let total = 0;
      for (let index = 0; index < count; index++) total += at(weights, index);
      let left = point * total;
      for (let index = 0; index < count; index++) {
        left -= at(weights, index);
        if (left < 0) return at(ids, index);
      }
      return at(ids, count - 1);
    },
  };
}

/** A read that is known to be in range. */
function at(values: Float32Array | Float64Array | Int32Array, index: number): number {
  return values[index] as number;
}
