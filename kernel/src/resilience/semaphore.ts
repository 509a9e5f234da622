import { cancelled, overloaded } from '../errors/index.ts';

interface Waiter {
  readonly grant: () => void;
}

/** Lets at most `limit` holders in; the others wait in the order they came. */
export class Semaphore {
  readonly #limit: number;
  readonly #maxWaiting: number;
  readonly #waiting = new Set<Waiter>();
  #held = 0;

  constructor(limit: number, { maxWaiting = Number.POSITIVE_INFINITY } = {}) {
    this.#limit = limit;
    this.#maxWaiting = maxWaiting;
  }

  get held(): number {
    return this.#held;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Resolves with a place; dispose it to let the next in. Throws OVERLOADED when too many wait, CANCELLED when `signal` aborts. */
  acquire(signal?: AbortSignal): Promise<Disposable> {
    if (signal?.aborted) return Promise.reject(cancelled({}));
    if (this.#held < this.#limit) {
      this.#held += 1;
      return Promise.resolve(this.#place());
    }
    if (this.#waiting.size >= this.#maxWaiting) {
      return Promise.reject(overloaded({ retryAfterMs: 1_000 }));
    }
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(waiter);
        reject(cancelled({}));
      };
      const waiter = {
        grant: () => {
          signal?.removeEventListener('abort', leave);
          resolve(this.#place());
        },
      };
      this.#waiting.add(waiter);
      signal?.addEventListener('abort', leave, { once: true });
    });
  }

  /** Runs `work` in a place. */
  async run<Result>(work: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    using _place = await this.acquire(signal);
    return await work();
  }

  #place(): Disposable {
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        this.#release();
      },
    };
  }

  #release(): void {
    const [next] = this.#waiting;
    if (next) {
      this.#waiting.delete(next);
      next.grant();
    } else this.#held -= 1;
  }
}
