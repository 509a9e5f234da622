import type { Clock } from '../clock/index.ts';
import { unavailable } from '../errors/index.ts';

export type CircuitState = 'CLOSED' | 'OPEN' | 'HALF_OPEN';

export interface CircuitBreakerOptions {
  readonly clock: Clock;
  /** The circuit opens when at least `minCalls` of the last `window` calls were made and this share of them failed. */
  readonly failureRatio?: number;
  readonly minCalls?: number;
  readonly window?: number;
  /** How long it stays open before one call may try again. */
  readonly openMs?: number;
  /** Which errors count; by default all. */
  readonly isFailure?: (error: unknown) => boolean;
  readonly onChange?: (state: CircuitState) => void;
}

export interface CircuitBreaker {
  readonly state: CircuitState;
  /** Runs `work`, or throws UNAVAILABLE with the time left while the circuit is open. */
  run<Result>(work: () => Promise<Result>): Promise<Result>;
}

/** Stops asking what does not answer: closed, then open, then one trial, then closed again. */
export function circuitBreaker(options: CircuitBreakerOptions): CircuitBreaker {
  const { clock, failureRatio = 0.5, minCalls = 10, window = 50, openMs = 5_000 } = options;
  const { isFailure = () => true, onChange = () => {} } = options;
  let state: CircuitState = 'CLOSED';
  let outcomes: boolean[] = [];
  let openUntil = 0;

  const move = (next: CircuitState) => {
    if (state === next) return;
    state = next;
    onChange(next);
  };
  const open = () => {
    openUntil = clock().getTime() + openMs;
    outcomes = [];
    move('OPEN');
  };
  const record = (failed: boolean, trial: boolean) => {
    if (trial) {
      if (failed) open();
      else move('CLOSED');
      return;
    }
    if (state !== 'CLOSED') return;
    outcomes = [...outcomes, failed].slice(-window);
    const failures = outcomes.filter(Boolean).length;
    if (outcomes.length >= minCalls && failures / outcomes.length >= failureRatio) open();
  };

  return {
    get state() {
      return state;
    },
    async run(work) {
      const left = openUntil - clock().getTime();
      if (state === 'HALF_OPEN' || (state === 'OPEN' && left > 0)) {
        throw unavailable({ retryAfterMs: Math.max(left, 100) });
      }
      const trial = state === 'OPEN';
      if (trial) move('HALF_OPEN');
      try {
        const result = await work();
        record(false, trial);
        return result;
      } catch (error) {
        record(isFailure(error), trial);
        throw error;
      }
    },
  };
}
