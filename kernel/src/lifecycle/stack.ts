/** Collects what was started and stops it in the reverse order. */
export interface Stack extends AsyncDisposable {
  use<Resource extends AsyncDisposable | Disposable>(resource: Resource): Resource;
  defer(stop: () => void | Promise<void>): void;
}

/**
 * Every entry is stopped, even when one before it failed; failures leave together as an AggregateError.
 * An entry that takes longer than `deadlineMs` (default 10 s) counts as failed and is left behind.
 */
export function openStack({ deadlineMs = 10_000 } = {}): Stack {
  const stops: (() => void | Promise<void>)[] = [];
  return {
    use(resource) {
      stops.push(async () => {
        if (Symbol.asyncDispose in resource) await resource[Symbol.asyncDispose]();
        else resource[Symbol.dispose]();
      });
      return resource;
    },
    defer(stop) {
      stops.push(stop);
    },
    async [Symbol.asyncDispose]() {
      const failures: unknown[] = [];
      for (let stop = stops.pop(); stop; stop = stops.pop()) {
        try {
          await within(deadlineMs, stop);
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) throw new AggregateError(failures, 'Not everything stopped cleanly');
    },
  };
}

async function within(deadlineMs: number, stop: () => void | Promise<void>): Promise<void> {
  let reject: (error: Error) => void = () => {};
  const late = new Promise<never>((_, fail) => {
    reject = fail;
  });
  const timer = setTimeout(() => {
    reject(new Error(`Stopping took longer than ${deadlineMs} ms`));
  }, deadlineMs);
  try {
    await Promise.race([late, Promise.resolve(stop())]);
  } finally {
    clearTimeout(timer);
  }
}
