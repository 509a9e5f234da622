/** A subscription that yields `first` and then waits until it is told to stop. */
export function endlessSource(first: unknown = { forever: 1 }) {
  let stop: (() => void) | undefined;
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  return {
    /** Resolves when somebody returned from the subscription. */
    stopped,
    open: () => {
      let yielded = false;
      return {
        [Symbol.asyncIterator]() {
          return this;
        },
        next(): Promise<IteratorResult<unknown>> {
          if (yielded) return new Promise(() => undefined);
          yielded = true;
          return Promise.resolve({ done: false, value: first });
        },
        return(): Promise<IteratorResult<unknown>> {
          stop?.();
          return Promise.resolve({ done: true, value: undefined });
        },
      };
    },
  };
}
