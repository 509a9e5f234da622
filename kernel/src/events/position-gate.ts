import { abortable, anySignal } from '../resilience/index.ts';
import { comparePositions, type Position } from './event-store.ts';

export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
  /** Default 5,000 ms. */
  readonly timeoutMs?: number;
}

/** Where a projection has arrived, and who waits for it to come further. */
export class PositionGate {
  #reached: Position = '0';
  readonly #waiting = new Set<() => void>();

  arrive(position: Position): void {
    this.#reached = position;
    for (const check of this.#waiting) check();
  }

  /** Resolves when that position, or a later one, was reached. Throws DEADLINE_EXCEEDED, CANCELLED. */
  async reached(
    position: Position,
    { signal, timeoutMs = 5_000 }: WaitOptions = {},
  ): Promise<void> {
    const arrived = () => comparePositions(this.#reached, position) >= 0;
    if (arrived()) return;
    let check = () => {};
    const waiting = new Promise<void>((resolve) => {
      check = () => {
        if (arrived()) resolve();
      };
    });
    this.#waiting.add(check);
    try {
      await abortable(waiting, anySignal(signal, AbortSignal.timeout(timeoutMs)));
    } finally {
      this.#waiting.delete(check);
    }
  }
}
