export interface WriteBehindOptions<Item> {
  /**
   * Writes a batch durably, all or nothing. A failure is retried with the very same batch: whoever cannot tell
   * whether a write arrived may recognise it.
   */
  readonly write: (items: readonly Item[]) => Promise<void>;
  /** Items of different groups never share a batch. */
  readonly groupOf: (item: Item) => string;
  /** Whether the items themselves are at fault: then they are written apart, and the one at fault is dropped. */
  readonly isItemsFault: (error: unknown) => boolean;
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
 * Items are written once each, those of a group in the order they came.
 */
export class WriteBehind<Item> implements AsyncDisposable {
  readonly #options: WriteBehindOptions<Item>;
  #pending: Item[] = [];
  #batch: readonly Item[] | undefined;
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

  /** Writes what is there now; what comes meanwhile waits for the next time. */
  async #drain(): Promise<Failure | undefined> {
    let due = this.#pending.length;
    try {
      while (due > 0 && this.#pending.length > 0) due -= await this.#writeBatch();
      return undefined;
    } catch (error) {
      this.#options.onFailure(error);
      return { error };
    }
  }

  /** Gives how many items are done with. */
  async #writeBatch(): Promise<number> {
    const batch = (this.#batch ??= this.#nextBatch());
    try {
      await this.#options.write(batch);
    } catch (error) {
      if (!this.#options.isItemsFault(error)) throw error;
      this.#batch = batch.slice(0, Math.ceil(batch.length / 2));
      if (batch.length > 1) return 0;
      this.#options.onFailure(error);
      this.#options.onDropped(1);
    }
    const done = new Set(batch);
    this.#pending = this.#pending.filter((item) => !done.has(item));
    this.#batch = undefined;
    return batch.length;
  }

  #nextBatch(): readonly Item[] {
    const { groupOf, maxItems } = this.#options;
    const [oldest] = this.#pending.slice(0, 1).map(groupOf);
    return this.#pending.filter((item) => groupOf(item) === oldest).slice(0, maxItems);
  }
}

interface Failure {
  readonly error: unknown;
}
