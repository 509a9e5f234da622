/**
 * Hands each item to `take`, one at a time, until the source ends or `signal` aborts. An abort does
 * not wait for the source: it is told to return, and this resolves at once.
 */
export async function follow<Item>(
  source: AsyncIterable<Item>,
  signal: AbortSignal,
  take: (item: Item) => Promise<void>,
): Promise<void> {
  const iterator = source[Symbol.asyncIterator]();
  const stop = () => {
    // The source may be waiting for an event: its return is not awaited, and may fail alone.
    iterator.return?.(undefined).catch(() => undefined);
  };
  const aborted = new Promise<'aborted'>((resolve) => {
    if (signal.aborted) resolve('aborted');
    else signal.addEventListener('abort', () => resolve('aborted'), { once: true });
  });
  try {
    for (;;) {
      const step = await Promise.race([iterator.next(), aborted]);
      if (step === 'aborted') return stop();
      if (step.done) return undefined;
      await Promise.race([take(step.value), aborted]);
      if (signal.aborted) return stop();
    }
  } catch (error) {
    stop();
    throw error;
  }
}
