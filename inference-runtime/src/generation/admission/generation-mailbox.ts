import type { Cancel, Timing } from '../../timing/timing.ts';

export interface GenerationMailboxOptions {
  readonly timing: Timing;
  /** Items that may wait before the producer is asked to pause. */
  readonly capacity: number;
  /** How long the reader may leave items lying, milliseconds. */
  readonly stallMs: number;
  readonly onFull: () => void;
  readonly onDrained: () => void;
  readonly onStalled: () => void;
}

/**
 * Between a generation and its reader. A reader that is slow pauses the generation; one that takes nothing for `stallMs` while
 * something waits has stalled. The producer stops within a step, so a few items above the capacity are taken in.
 */
export class GenerationMailbox<Item> {
  readonly #options: GenerationMailboxOptions;
  #items: Item[] = [];
  #full = false;
  #end: { readonly error?: Error } | undefined;
  #wake: (() => void) | undefined;
  #stall: Cancel | undefined;

  constructor(options: GenerationMailboxOptions) {
    this.#options = options;
  }

  push(item: Item): void {
    if (this.#end) return;
    this.#items.push(item);
    if (!this.#full && this.#items.length >= this.#options.capacity) {
      this.#full = true;
      this.#options.onFull();
    }
    this.#changed();
  }

  /** Ends the reading after what waits. */
  close(): void {
    this.#end ??= {};
    this.#changed();
  }

  /** Ends the reading with an error: what waits is dropped, the reader learns of the failure first. */
  fail(error: Error): void {
    if (this.#end) return;
    this.#end = { error };
    this.#items = [];
    this.#changed();
  }

  /** The next item; undefined after the last. For one reader. */
  async take(): Promise<Item | undefined> {
    this.#stall?.();
    this.#stall = undefined;
    while (this.#items.length === 0 && !this.#end)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    if (this.#end?.error) throw this.#end.error;
    const item = this.#items.shift();
    if (this.#full && this.#items.length <= this.#options.capacity / 2) {
      this.#full = false;
      if (!this.#end) this.#options.onDrained();
    }
    if (this.#items.length > 0) this.#watch();
    return item;
  }

  /** The reader is gone. */
  discard(): void {
    this.#end ??= {};
    this.#items = [];
    this.#stall?.();
    this.#stall = undefined;
    this.#changed();
  }

  #changed(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    if (wake) wake();
    else if (this.#items.length > 0) this.#watch();
  }

  #watch(): void {
    this.#stall ??= this.#options.timing.after(this.#options.stallMs, () => {
      this.#stall = undefined;
      this.#options.onStalled();
    });
  }
}
