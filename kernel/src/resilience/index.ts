export { AsyncQueue } from './async-queue.ts';
export { type Bulkhead, type BulkheadOptions, bulkhead } from './bulkhead.ts';
export {
  type CircuitBreaker,
  type CircuitBreakerOptions,
  type CircuitState,
  circuitBreaker,
} from './circuit-breaker.ts';
export { abortable, anySignal, withDeadline } from './deadline.ts';
export { interruptible } from './interruptible.ts';
export { type Loop, type LoopOptions, loop } from './loop.ts';
export { type RetryBudget, type RetryOptions, retry, retryBudget } from './retry.ts';
export { Semaphore } from './semaphore.ts';
export { sleep } from './sleep.ts';
