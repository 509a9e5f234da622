import type { Signals } from './signals.ts';

type Work = (signals: Signals) => void;

/** Work that waits for a transaction to commit, kept with the handle of that transaction. */
const waiting = new WeakMap<object, Work[]>();

/** Runs `work` once the transaction of `tx` has committed, never when it rolls back. Nothing happens when `tx` is none. */
export function afterCommit(tx: object, work: Work): void {
  waiting.get(tx)?.push(work);
}

/** For adapters: opens the list of a transaction; the result runs it. */
export function collectAfterCommit(tx: object, signals: Signals): () => void {
  const list: Work[] = [];
  waiting.set(tx, list);
  return () => {
    waiting.delete(tx);
    for (const work of list) work(signals);
  };
}
