import { Semaphore } from './semaphore.ts';

export interface BulkheadOptions {
  /** How many may run at once. */
  readonly limit: number;
  /** How many may wait; one more is OVERLOADED. Default 0. */
  readonly maxWaiting?: number;
}

export interface Bulkhead {
  run<Result>(work: () => Promise<Result>, signal?: AbortSignal): Promise<Result>;
}

/** Keeps one kind of work from taking everything: each name has its own places. */
export function bulkhead({ limit, maxWaiting = 0 }: BulkheadOptions): Bulkhead {
  const places = new Semaphore(limit, { maxWaiting });
  return { run: (work, signal) => places.run(work, signal) };
}
