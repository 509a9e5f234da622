/** What one loaded model takes, and whether it may be sent away. */
interface Resident {
  readonly bytes: number;
  readonly pinned: boolean;
  lastUsedAt: number;
}

/** Decides which models stay in memory: least recently used leave first, pinned ones and ones in use never. */
export class MemoryBudget {
  readonly #maxBytes: number;
  readonly #residents = new Map<string, Resident>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get usedBytes(): number {
    return [...this.#residents.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get maxBytes(): number {
    return this.#maxBytes;
  }

  /**
   * Which models must leave so that `bytes` more fit; `undefined` when they cannot fit.
   * `inUse` says what may not leave now.
   */
  evictionsFor(bytes: number, inUse: (id: string) => boolean): readonly string[] | undefined {
    let excess = this.usedBytes + bytes - this.#maxBytes;
    const evictions: string[] = [];
    const byAge = [...this.#residents].toSorted(([, a], [, b]) => a.lastUsedAt - b.lastUsedAt);
    for (const [id, { bytes: freed, pinned }] of byAge) {
      if (excess <= 0) break;
      if (pinned || inUse(id)) continue;
      evictions.push(id);
      excess -= freed;
    }
    return excess <= 0 ? evictions : undefined;
  }

  add(
    id: string,
    resident: { readonly bytes: number; readonly pinned: boolean },
    at: number,
  ): void {
    this.#residents.set(id, { ...resident, lastUsedAt: at });
  }

  touch(id: string, at: number): void {
    const resident = this.#residents.get(id);
    if (resident) resident.lastUsedAt = at;
  }

  remove(id: string): void {
    this.#residents.delete(id);
  }
}
