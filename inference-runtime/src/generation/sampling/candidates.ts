import { expNonPositive } from './exponential.ts';

/** Tokens less than e^-32 as likely as the likeliest are never drawn. */
const reach = 32;
const bins = 1024;
const binsPerUnit = bins / reach;

export interface FillOptions {
  /** The highest score. */
  readonly max: number;
  /** Above 0. */
  readonly temperature: number;
  /** Only tokens at least this fraction as likely as the likeliest; 0 is no limit. */
  readonly minP: number;
  /** Only so many of the likeliest, of equals those with lower ids; 0 is no limit. */
  readonly topK: number;
}

export interface Candidates {
  /** Starts anew with the tokens that pass min-p and top-k at a temperature. */
  fill(scores: Float32Array, options: FillOptions): void;
  /** Keeps the smallest set of likeliest tokens that holds `share` of the probability left. */
  keepShare(share: number): void;
  /** The token at `point` (in [0, 1)) of the cumulative distribution in order of token id. */
  at(point: number): number;
}

/**
 * The tokens that may still be drawn. Top-k and top-p select by a histogram and sort only the bin at the border, which is linear
 * in the vocabulary. Depth is the distance of a score below the highest, over the temperature; exp(−depth) is the weight. The
 * buffers are reused: one instance serves one worker.
 */
export function createCandidates(vocab: number): Candidates {
  const ids = new Int32Array(vocab);
  const depths = new Float64Array(vocab);
  const weights = new Float64Array(vocab);
  const histogram = new Float64Array(bins + 1);
  let count = 0;

  /** Collects the tokens down to a depth, without their weights. */
  function collect(scores: Float32Array, max: number, temperature: number, deepest: number): void {
    const scale = 1 / temperature;
    const lowest = max - deepest * temperature;
    count = 0;
    for (let id = 0; id < vocab; id++) {
      const score = at(scores, id);
      if (score < lowest) continue;
      ids[count] = id;
      depths[count++] = (max - score) * scale;
    }
  }

  /** Keeps the shallowest tokens until `measure` (1 without it) adds up to `target`. */
  function keepUntil(target: number, measure?: Float64Array): void {
    histogram.fill(0);
    for (let index = 0; index < count; index++) {
      const bin = binOf(at(depths, index));
      histogram[bin] = at(histogram, bin) + (measure ? at(measure, index) : 1);
    }
    let border = 0;
    let sum = 0;
    while (border < bins && sum + at(histogram, border) < target) sum += at(histogram, border++);

    const borderline: number[] = [];
    for (let index = 0; index < count; index++)
      if (binOf(at(depths, index)) === border) borderline.push(index);
    borderline.sort((a, b) => at(depths, a) - at(depths, b) || a - b);
    const kept = new Set<number>();
    for (const index of borderline) {
      if (sum >= target) break;
      sum += measure ? at(measure, index) : 1;
      kept.add(index);
    }
    compact(border, kept);
  }

  function compact(border: number, kept: ReadonlySet<number>): void {
    let next = 0;
    for (let index = 0; index < count; index++) {
      const bin = binOf(at(depths, index));
      if (bin > border || (bin === border && !kept.has(index))) continue;
      ids[next] = at(ids, index);
      depths[next] = at(depths, index);
      weights[next] = at(weights, index);
      next++;
    }
    count = next;
  }

  function total(): number {
    let sum = 0;
    for (let index = 0; index < count; index++) sum += at(weights, index);
    return sum;
  }

  return {
    fill(scores, { max, temperature, minP, topK }) {
      collect(scores, max, temperature, minP > 0 ? Math.min(reach, -Math.log(minP)) : reach);
      if (topK > 0 && topK < count) keepUntil(topK);
      for (let index = 0; index < count; index++)
        weights[index] = expNonPositive(-at(depths, index));
    },
    keepShare: (share) => keepUntil(share * total(), weights),
    at(point) {
      let left = point * total();
      for (let index = 0; index < count; index++) {
        left -= at(weights, index);
        if (left < 0) return at(ids, index);
      }
      return at(ids, count - 1);
    },
  };
}

function binOf(depth: number): number {
  return Math.min(bins, (depth * binsPerUnit) | 0);
}

/** A read that is in range. */
function at(values: Float32Array | Float64Array | Int32Array, index: number): number {
  return values[index] ?? 0;
}
