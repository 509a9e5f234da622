const reach = 88;
const powersOfTwo = Float64Array.from({ length: 130 }, (_, n) => 2 ** -n);

/**
 * e^x for x ≤ 0, relative error below 3e-9; 0 below −88. Several times faster than `Math.exp`, and it gives the same bits
 * on every machine. Range reduction by powers of two, then the Taylor series to the eighth power.
 */
export function expNonPositive(x: number): number {
  if (!(x > -reach)) return x === x ? 0 : x;
  const n = Math.floor(0.5 - x * Math.LOG2E);
  const r = x + n * Math.LN2;
  const series =
    1 +
    r *
      (1 +
        r *
          (1 / 2 +
            r *
              (1 / 6 +
                r * (1 / 24 + r * (1 / 120 + r * (1 / 720 + r * (1 / 5040 + r / 40_320)))))));
  return series * (powersOfTwo[n] ?? 0);
}
