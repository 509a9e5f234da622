/** Follows writes that are under way and tells when they stopped moving. */
export interface Progress {
  started(): void;
  finished(): void;
  isStalled(nowMs: number): boolean;
}

/** Stalled: something is being written and nothing was finished for `stallMs`. */
export function writeProgress(stallMs: number): Progress {
  let pending = 0;
  let movedAt = 0;
  return {
    started() {
      if (pending === 0) movedAt = performance.now();
      pending += 1;
    },
    finished() {
      pending -= 1;
      movedAt = performance.now();
    },
    isStalled: (nowMs) => pending > 0 && nowMs - movedAt > stallMs,
  };
}
