import type { Logger } from '../log/index.ts';

export interface LoopOptions {
  readonly name: string;
  readonly logger: Logger;
  /** How long to rest when idle and nobody wakes it. */
  readonly pollMs: number;
  /** One piece of work. 'busy' asks for the next at once. */
  readonly step: (signal: AbortSignal) => Promise<'busy' | 'idle'>;
}

export interface Loop extends AsyncDisposable {
  wake(): void;
}

/** Repeats a step until disposed: at once when woken, after a pause when idle, after a growing one (to 5 s) when it fails. */
export function loop({ name, logger, pollMs, step }: LoopOptions): Loop {
  const stop = new AbortController();
  let woken = false;
  let interrupt = () => {};

  const rest = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(done, ms);
      function done() {
        clearTimeout(timer);
        interrupt = () => {};
        resolve();
      }
      interrupt = done;
      if (stop.signal.aborted) done();
    });
  const running = run();

  async function run(): Promise<void> {
    let failures = 0;
    while (!stop.signal.aborted) {
      woken = false;
      try {
        const state = await step(stop.signal);
        if (failures > 0) logger.info({ loop: name }, 'works again');
        failures = 0;
        if (state === 'idle' && !woken && !stop.signal.aborted) await rest(pollMs);
      } catch (error) {
        if (stop.signal.aborted) return;
        if (failures === 0) logger.warn({ loop: name, err: error }, 'failed, trying again');
        failures += 1;
        await rest(Math.min(5_000, 50 * 2 ** Math.min(failures, 10)));
      }
    }
  }

  return {
    wake() {
      woken = true;
      interrupt();
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      interrupt();
      await running;
    },
  };
}
