/** Who asks: requests of one tenant and priority. */
export interface Caller {
  readonly tenant: string;
  readonly priority: number;
}

/**
 * Callers that were just answered often ask again at once. A worker that is given to somebody else in that instant makes
 * them wait a whole execution more than their share. This remembers who was answered and whether such callers do come
 * back, so that the scheduler may hold the worker for them for a moment (anticipatory scheduling; Iyer and Druschel, 2001).
 */
export class ReturningCallers {
  readonly #missing = new Map<string, Caller & { rows: number }>();
  /** How often those who were waited for came, smoothed; starts in good faith. */
  #rate = 1;
  #holds = 0;
  #until = Number.NEGATIVE_INFINITY;
  #expected = 0;

  /** A batch was answered: its callers may come back until `until`. */
  answered(callers: readonly (Caller & { readonly rows: number })[], until: number): void {
    this.#learn();
    for (const { tenant, priority, rows } of callers) {
      const key = keyOf({ tenant, priority });
      const known = this.#missing.get(key);
      if (known) known.rows += rows;
      else this.#missing.set(key, { tenant, priority, rows });
      this.#expected += rows;
    }
    this.#until = until;
  }

  came({ tenant, priority }: Caller, rows: number): void {
    const key = keyOf({ tenant, priority });
    const missing = this.#missing.get(key);
    if (!missing) return;
    missing.rows -= rows;
    if (missing.rows <= 0) this.#missing.delete(key);
  }

  /**
   * For how long, ms from `now`, a batch led by `lead` should wait for callers with a better or equal claim: others, who
   * would wait a whole execution, and its own, who would find their places taken.
   */
  holdMs(lead: Pick<Caller, 'priority'>, now: number): number {
    if (now >= this.#until) return 0;
    // Where nobody comes back, waiting is tried now and then only.
    this.#holds += 1;
    if (this.#rate < 0.25 && this.#holds % 32 !== 0) return 0;
    for (const { priority } of this.#missing.values())
      if (priority <= lead.priority) return this.#until - now;
    return 0;
  }

  #learn(): void {
    if (this.#expected === 0) return;
    let missing = 0;
    for (const { rows } of this.#missing.values()) missing += rows;
    this.#rate = 0.9 * this.#rate + 0.1 * (1 - missing / this.#expected);
    this.#missing.clear();
    this.#expected = 0;
  }
}

function keyOf({ tenant, priority }: Caller): string {
  return `${priority} ${tenant}`;
}
