/**
 * An async generator whose `return` takes effect at once, also while a `next` is waiting: it aborts the signal that `body` waits with.
 * `body` ends quietly when its signal aborts. `parent` aborts it as well.
 */
export function interruptible<Item>(
  body: (signal: AbortSignal) => AsyncGenerator<Item, void, void>,
  parent?: AbortSignal,
): AsyncGenerator<Item, void, void> {
  const aborter = new AbortController();
  const signal = parent ? AbortSignal.any([parent, aborter.signal]) : aborter.signal;
  const items = body(signal);
  const generator: AsyncGenerator<Item, void, void> = {
    next: () => items.next(),
    return() {
      aborter.abort();
      return items.return();
    },
    throw(error) {
      aborter.abort();
      return items.throw(error);
    },
    [Symbol.asyncIterator]: () => generator,
    async [Symbol.asyncDispose]() {
      await generator.return();
    },
  };
  return generator;
}
