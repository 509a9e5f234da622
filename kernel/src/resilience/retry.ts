import { cancelled } from '../errors/index.ts';
import { sleep } from './sleep.ts';

/** Keeps retries a small share of all calls, so that they never multiply an outage. */
export interface RetryBudget {
  /** One first attempt was made. */
  deposit(): void;
  /** Whether one retry may be made now. */
  withdraw(): boolean;
}

/** `ratio` retries per call (default 0.2), saved up to `max` (default 10, which is also the start). */
export function retryBudget({ ratio = 0.2, max = 10 } = {}): RetryBudget {
  let saved = max;
  return {
    deposit() {
      saved = Math.min(max, saved + ratio);
    },
    withdraw() {
      if (saved < 1) return false;
      saved -= 1;
      return true;
    },
  };
}

export interface RetryOptions {
  /** Attempts in all, default 3. */
  readonly attempts?: number;
  /** The first pause is 0 to `baseMs`, each next one up to twice that, at most `maxMs` (full jitter). */
  readonly baseMs?: number;
  readonly maxMs?: number;
  readonly budget?: RetryBudget;
  readonly signal?: AbortSignal;
  /** Which errors are worth another attempt; by default all. */
  readonly isRetryable?: (error: unknown) => boolean;
  /** 0 to 1; for tests. */
  readonly random?: () => number;
}

/** Runs idempotent `work` again when it fails. Throws the last error, or CANCELLED when `signal` aborts between attempts. */
export async function retry<Result>(
  work: (attempt: number) => Promise<Result>,
  options: RetryOptions = {},
): Promise<Result> {
  const { attempts = 3, baseMs = 50, maxMs = 2_000, budget, signal } = options;
  const { isRetryable = () => true, random = Math.random } = options;
  budget?.deposit();
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work(attempt);
    } catch (error) {
      const last = attempt >= attempts || !isRetryable(error) || signal?.aborted;
      if (last || budget?.withdraw() === false) throw error;
      await sleep(random() * Math.min(maxMs, baseMs * 2 ** (attempt - 1)), signal);
      if (signal?.aborted) throw cancelled({}, error);
    }
  }
}
