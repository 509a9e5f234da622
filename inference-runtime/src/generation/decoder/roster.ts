import type { KvBlock } from './kv-lane.ts';
import { KvLane, type KvLaneOptions } from './kv-lane.ts';
import type { Sequence } from './sequence.ts';

/** Sequences in the order of the rows that hold their keys and values. */
export class Roster {
  readonly lane: KvLane;
  readonly #sequences: Sequence[] = [];

  constructor(options: KvLaneOptions) {
    this.lane = new KvLane(options);
  }

  get sequences(): readonly Sequence[] {
    return this.#sequences;
  }

  get size(): number {
    return this.#sequences.length;
  }

  get full(): boolean {
    return this.lane.full;
  }

  /** Takes a sequence in, with what is known of its keys and values. */
  add(sequence: Sequence, blocks: readonly KvBlock[]): void {
    const row = this.lane.add();
    for (const block of blocks) this.lane.restore(row, block);
    this.#sequences.push(sequence);
  }

  /** Lets a row's sequence go; the last row takes its place. */
  remove(row: number): void {
    if (this.#sequences[row]?.spoilt) this.lane.scrub(row);
    this.lane.remove(row);
    const last = this.#sequences.pop();
    if (last !== undefined && row < this.#sequences.length) this.#sequences[row] = last;
  }

  /** Lets all go that match; from the last row on, so that rows still to be looked at keep their places. */
  removeWhere(matches: (sequence: Sequence, row: number) => boolean): void {
    for (let row = this.#sequences.length - 1; row >= 0; row--) {
      const sequence = this.#sequences[row];
      if (sequence && matches(sequence, row)) this.remove(row);
    }
  }
}
