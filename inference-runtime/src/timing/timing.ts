/** Monotonic time and timers, as an argument: a test moves them by hand. */
export interface Timing {
  /** Milliseconds since an arbitrary start, never going back. */
  now(): number;
  /** Calls back once after `ms` (0: when the current turn of the event loop is over). */
  after(ms: number, callback: () => void): Cancel;
}

export type Cancel = () => void;

export const machineTiming: Timing = {
  now: () => performance.now(),
  after(ms, callback) {
    if (ms <= 0) {
      const immediate = setImmediate(callback);
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};
