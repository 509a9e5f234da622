/** The same iteration with other values; leaving it leaves the original at once, also while a value is awaited. */
export function mapped<From, To>(
  from: AsyncIterableIterator<From>,
  as: (value: From) => To,
): AsyncIterableIterator<To> {
  return {
    async next() {
      const { done, value } = await from.next();
      return done ? { done, value: undefined } : { done: false, value: as(value) };
    },
    async return() {
      await from.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
