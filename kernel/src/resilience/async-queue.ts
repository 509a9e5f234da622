/** A bounded mailbox between a producer and one consumer that iterates it. */
export class AsyncQueue<Item> implements AsyncIterable<Item> {
  readonly #capacity: number;
  readonly #items: { readonly item: Item }[] = [];
  #end: { readonly error?: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#items.length;
  }

  /** Whether the item was taken in: false when the queue is full or closed, and the producer decides what to drop. */
  push(item: Item): boolean {
    if (this.#end || this.#items.length >= this.#capacity) return false;
    this.#items.push({ item });
    this.#wake?.();
    return true;
  }

  /** Ends the iteration after what is queued. */
  close(): void {
    this.#end ??= {};
    this.#wake?.();
  }

  /** Ends the iteration with an error, after what is queued. */
  fail(error: unknown): void {
    this.#end ??= { error };
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Item> {
    try {
      while (true) {
        const next = this.#items.shift();
        if (next) yield next.item;
        else if (this.#end) {
          if ('error' in this.#end) throw this.#end.error;
          return;
        } else await this.#change();
      }
    } finally {
      this.close();
      this.#items.length = 0;
    }
  }

  async #change(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }
}
