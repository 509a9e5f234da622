/**
 * The items in another form, once the first of them is here: what goes wrong before it is thrown, while it can still be told by
 * a status. Rejects with the reason of `signal` when that aborts first.
 */
export async function begun<From, Item>(
  source: AsyncIterable<From>,
  signal: AbortSignal,
  as: (item: From) => Item,
): Promise<AsyncIterable<Item>> {
  const iterator = source[Symbol.asyncIterator]();
  const next = async (): Promise<IteratorResult<Item>> => {
    const step = await iterator.next();
    return step.done ? { done: true, value: undefined } : { done: false, value: as(step.value) };
  };
  const leave = () => {
    // The source may be waiting for an event: its return is not awaited, and may fail alone.
    iterator.return?.().catch(() => undefined);
  };
  const first = await Promise.race([next(), aborted(signal)]).catch((error: unknown) => {
    leave();
    throw error;
  });
  let held: IteratorResult<Item> | undefined = first;
  return {
    [Symbol.asyncIterator]: () => ({
      next() {
        const step = held;
        held = undefined;
        return step === undefined ? next() : Promise.resolve(step);
      },
      return() {
        leave();
        return Promise.resolve({ done: true as const, value: undefined });
      },
    }),
  };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => {
      const reason: unknown = signal.reason;
      reject(reason instanceof Error ? reason : new Error('aborted', { cause: reason }));
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
