/** Work that waits for a transaction to commit, kept with the handle of that transaction. */
const waiting = new WeakMap<object, (() => void)[]>();

/** Runs `work` once the transaction of `tx` has committed, never when it rolls back; at once when `tx` is none. */
export function afterCommit(tx: object, work: () => void): void {
  const list = waiting.get(tx);
  if (list) list.push(work);
  else work();
}

/** For adapters: opens the list of a transaction; the result runs it. */
export function collectAfterCommit(tx: object): () => void {
  const list: (() => void)[] = [];
  waiting.set(tx, list);
  return () => {
    waiting.delete(tx);
    for (const work of list) work();
  };
}
