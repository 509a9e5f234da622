import { type Clock, instantOf } from '@opea/kernel/clock';
import type { Logger } from '@opea/kernel/log';
import type { ServingStore } from './serving/serving-store.ts';

/** How long things are kept, in ms. */
export interface Retention {
  /** Seconds become minutes after this. */
  readonly rollUpAfterMs: number;
  readonly slicesMs: number;
  /** Longer than any redelivery can take. */
  readonly processedMs: number;
}

/** Rolls slices up and forgets old ones, once a minute, until disposed. */
export function maintain(deps: {
  readonly serving: ServingStore;
  readonly retention: Retention;
  readonly clock: Clock;
  readonly logger: Logger;
}): AsyncDisposable {
  const { serving, retention, clock, logger } = deps;
  let running = Promise.resolve();
  const timer = setInterval(() => {
    running = running.then(once).catch((error: unknown) => {
      logger.warn(
        { err: error },
        'serving metrics were not rolled up; the next minute tries again',
      );
    });
  }, 60_000);
  timer.unref();

  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await running;
    },
  };

  async function once(): Promise<void> {
    const now = clock().getTime();
    const before = Math.floor((now - retention.rollUpAfterMs) / 60_000) * 60_000;
    await serving.rollUp(instantOf(before));
    await serving.forget({
      slices: instantOf(now - retention.slicesMs),
      processed: instantOf(now - retention.processedMs),
    });
  }
}
