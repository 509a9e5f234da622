import type { Caller } from './returning-callers.ts';

const windowMs = 1_000;
const most = 1_024;

/** Who asked within the last second. */
export class CallersInUse {
  readonly #lastSeen = new Map<string, { readonly priority: number; readonly at: number }>();

  see({ tenant, priority }: Caller, at: number): void {
    const caller = `${priority} ${tenant}`;
    // Moved to the end, so that the oldest are first to be forgotten.
    this.#lastSeen.delete(caller);
    this.#lastSeen.set(caller, { priority, at });
    for (const [other, seen] of this.#lastSeen) {
      if (at - seen.at < windowMs && this.#lastSeen.size <= most) break;
      this.#lastSeen.delete(other);
    }
  }

  count(now: number): number {
    return this.#recent(now).length;
  }

  /** The most urgent priority in use; 3, the least urgent, when nobody asks. */
  highest(now: number): number {
    return Math.min(3, ...this.#recent(now).map(({ priority }) => priority));
  }

  #recent(now: number): readonly { readonly priority: number }[] {
    return [...this.#lastSeen.values()].filter(({ at }) => now - at < windowMs);
  }
}
