import type { Timing } from './timing.ts';

/** Time that stands still until a test moves it; callbacks fire in the order they are due. */
export function manualTiming(): Timing & { advance(ms: number): void; pending(): number } {
  let now = 0;
  let order = 0;
  const due = new Map<number, { at: number; callback: () => void }>();

  return {
    now: () => now,
    after(ms, callback) {
      const id = order++;
      due.set(id, { at: now + Math.max(0, ms), callback });
      return () => void due.delete(id);
    },
    pending: () => due.size,
    advance(ms) {
      const until = now + ms;
      for (;;) {
        const [next] = [...due.entries()]
          .filter(([, { at }]) => at <= until)
          .toSorted(([a, { at: atA }], [b, { at: atB }]) => atA - atB || a - b);
        if (next === undefined) break;
        const [id, { at, callback }] = next;
        due.delete(id);
        now = Math.max(now, at);
        callback();
      }
      now = until;
    },
  };
}
