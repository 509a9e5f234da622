import type { Timing } from '../timing/timing.ts';

const windowMs = 1_000;

/**
 * How many rows the callers keep outstanding at once: the peak of the last one to two seconds. When that many are
 * here already, everybody waits for an answer and nobody is left to send another; waiting longer would gain nothing.
 */
export class DemandEstimate {
  readonly #timing: Timing;
  #windowEndsAt: number;
  #current = 0;
  #previous = 0;

  constructor(timing: Timing) {
    this.#timing = timing;
    this.#windowEndsAt = timing.now() + windowMs;
  }

  observe(outstandingRows: number): void {
    this.#roll();
    this.#current = Math.max(this.#current, outstandingRows);
  }

  rows(): number {
    this.#roll();
    return Math.max(this.#current, this.#previous);
  }

  #roll(): void {
    const now = this.#timing.now();
    if (now < this.#windowEndsAt) return;
    this.#previous = now < this.#windowEndsAt + windowMs ? this.#current : 0;
    this.#current = 0;
    this.#windowEndsAt = now + windowMs;
  }
}
