import type { Timing } from './timing.ts';

interface Due {
  readonly at: number;
  readonly callback: () => void;
  cancelled: boolean;
}

export interface ManualTiming extends Timing {
  /** Moves time on; callbacks fire in the order they are due. */
  advance(ms: number): void;
  /** Moves time to the next callback and fires it. False when nothing is due before `until`. */
  step(until: number): boolean;
  /** Callbacks that are still due. */
  pending(): number;
}

/** Time that stands still until a test moves it. */
export function manualTiming(): ManualTiming {
  let now = 0;
  /** Sorted by time; of equal times the later one comes later. */
  const due: Due[] = [];

  function step(until: number): boolean {
    let next = due.shift();
    while (next?.cancelled) next = due.shift();
    if (next === undefined) return false;
    if (next.at > until) {
      due.unshift(next);
      return false;
    }
    now = Math.max(now, next.at);
    next.callback();
    return true;
  }

  return {
    now: () => now,
    after(ms, callback) {
      const entry: Due = { at: now + Math.max(0, ms), callback, cancelled: false };
      due.splice(placeOf(due, entry.at), 0, entry);
      return () => {
        entry.cancelled = true;
      };
    },
    step,
    pending: () => due.filter(({ cancelled }) => !cancelled).length,
    advance(ms) {
      const until = now + ms;
      while (step(until));
      now = until;
    },
  };
}

/** Where an entry of this time belongs: behind all that are due no later. */
function placeOf(due: readonly Due[], at: number): number {
  let low = 0;
  let high = due.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((due[middle]?.at ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}
