/** What an execution of n rows takes: a·n + b milliseconds, fitted as the executions go by. */
export interface LatencyModel {
  observe(rows: number, ms: number): void;
  /** Expected duration, ms; `undefined` until enough was seen. */
  estimate(rows: number): number | undefined;
  /** The most rows that finish within `ms`, at least 1; `undefined` until enough was seen. */
  rowsWithin(ms: number): number | undefined;
}

const enough = 5;
/** Old executions fade with this factor, so that the fit follows a machine that gets busier. */
const fading = 0.97;

/** Weighted least squares with exponential forgetting; both coefficients are kept from going negative. */
export function latencyModel(): LatencyModel {
  let seen = 0;
  let w = 0;
  let wn = 0;
  let wt = 0;
  let wnn = 0;
  let wnt = 0;

  function fit(): { a: number; b: number } | undefined {
    if (seen < enough) return undefined;
    const spread = wnn - (wn * wn) / w;
    // One size only: the line is not determined, so time is taken as proportional.
    if (spread < 1e-6 * wnn) return { a: wt / wn, b: 0 };
    const a = Math.max(0, (wnt - (wn * wt) / w) / spread);
    const b = (wt - a * wn) / w;
    return b >= 0 ? { a, b } : { a: wnt / wnn, b: 0 };
  }

  return {
    observe(rows, ms) {
      seen += 1;
      w = w * fading + 1;
      wn = wn * fading + rows;
      wt = wt * fading + ms;
      wnn = wnn * fading + rows * rows;
      wnt = wnt * fading + rows * ms;
    },
    estimate(rows) {
      const line = fit();
      return line && line.a * rows + line.b;
    },
    rowsWithin(ms) {
      const line = fit();
      if (line === undefined) return undefined;
      if (line.a <= 0) return line.b <= ms ? Number.MAX_SAFE_INTEGER : 1;
      // The small addend absorbs rounding: a bound that is met exactly is met.
      return Math.max(1, Math.floor((ms - line.b) / line.a + 1e-6));
    },
  };
}
