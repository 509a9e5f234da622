export interface WriteBehindOptions<Item> {
  /** Writes a batch durably. A failure is retried with the same batch until it is written or abandoned. */
  readonly write: (items: readonly Item[]) => Promise<void>;
  /** The longest that an item waits for company, in ms. */
  readonly maxWaitMs: number;
  /** Items per write. */
  readonly maxItems: number;
  /** Items kept while writes fail; beyond it the oldest are dropped and counted. */
  readonly maxPending: number;
  readonly onFailure: (error: unknown) => void;
  readonly onDropped: (count: number) => void;
}

/**
 * Writes many small facts in few transactions, a moment after they happened: answers do not wait for the disk.
 * Items are written once each, in the order they came.
 */
export class WriteBehind<Item> implements AsyncDisposable {
  readonly #options: WriteBehindOptions<Item>;
  #pending: Item[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<Failure | undefined> | undefined;

  constructor(options: WriteBehindOptions<Item>) {
    this.#options = options;
  }

  /** What was added and is not durable yet. */
  get pending(): readonly Item[] {
    return this.#pending;
  }

  add(item: Item): void {
    this.#pending.push(item);
    const excess = this.#pending.length - this.#options.maxPending;
    if (excess > 0) {
      this.#pending.splice(0, excess);
      this.#options.onDropped(excess);
    }
    if (this.#pending.length >= this.#options.maxItems) void this.#start();
    else this.#timer ??= setTimeout(() => void this.#start(), this.#options.maxWaitMs);
  }

  /** Resolves when everything added so far is durable; rejects when the last attempt failed. */
  async flush(): Promise<void> {
    while (this.#pending.length > 0) {
      const failure = await this.#start();
      if (failure) throw failure.error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    await this.flush().catch(() => this.#options.onDropped(this.#pending.length));
    clearTimeout(this.#timer);
  }

  /** One writer at a time: whoever comes while it writes waits for it. */
  #start(): Promise<Failure | undefined> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing ??= this.#drain().finally(() => {
      this.#writing = undefined;
      if (this.#pending.length > 0)
        this.#timer ??= setTimeout(() => void this.#start(), this.#options.maxWaitMs);
    });
    return this.#writing;
  }

  async #drain(): Promise<Failure | undefined> {
    try {
      do await this.#writeBatch();
      while (this.#pending.length >= this.#options.maxItems);
      return undefined;
    } catch (error) {
      this.#options.onFailure(error);
      return { error };
    }
  }

  async #writeBatch(): Promise<void> {
    const batch = this.#pending.slice(0, this.#options.maxItems);
    if (batch.length === 0) return;
    await this.#options.write(batch);
    const written = new Set(batch);
    this.#pending = this.#pending.filter((item) => !written.has(item));
  }
}

interface Failure {
  readonly error: unknown;
}
