import type { DecoderLayout } from './decoder-layout.ts';

/** Keys and values of some positions, one array for each layer's keys and values: [kv_heads, positions, head_dim]. */
export interface KvBlock {
  readonly positions: number;
  readonly parts: readonly Float32Array[];
}

/** Keys and values as a run returns them, one array for each layer's keys and values: [rows, kv_heads, chunk, head_dim]. */
export interface KvOutput {
  readonly chunk: number;
  readonly parts: readonly Float32Array[];
}

export interface KvLaneOptions {
  readonly layout: Pick<DecoderLayout, 'layers' | 'kvHeads' | 'headDim' | 'context'>;
  /** Most sequences at a time. */
  readonly maxRows: number;
  /** The stride grows and shrinks in steps of this many positions. */
  readonly bucket: number;
}

/**
 * Keys and values of the sequences that run together. Each layer's keys (and values) are one array
 * [rows, kv_heads, stride, head_dim], rows dense from 0, so a run takes a view of it and copies nothing. The stride follows the
 * longest sequence, which keeps short ones from paying for the model's context. Even parts are keys, odd ones values.
 */
export class KvLane {
  readonly parts: readonly Float32Array[];
  readonly #kvHeads: number;
  readonly #headDim: number;
  readonly #options: KvLaneOptions;
  readonly #lengths: number[] = [];
  #stride: number;

  constructor(options: KvLaneOptions) {
    const { layers, kvHeads, headDim, context } = options.layout;
    const size = options.maxRows * kvHeads * roundUp(context, options.bucket) * headDim;
    this.parts = Array.from({ length: 2 * layers }, () => new Float32Array(size));
    this.#options = options;
    this.#kvHeads = kvHeads;
    this.#headDim = headDim;
    this.#stride = options.bucket;
  }

  get rows(): number {
    return this.#lengths.length;
  }

  get full(): boolean {
    return this.rows >= this.#options.maxRows;
  }

  /** Positions from one row of a head to the next. */
  get stride(): number {
    return this.#stride;
  }

  /** Positions that hold keys and values, over all rows. */
  get positions(): number {
    return this.#lengths.reduce((sum, length) => sum + length, 0);
  }

  lengthOf(row: number): number {
    return this.#lengths[row] ?? 0;
  }

  /** Makes room for a sequence at the end; returns its row. */
  add(): number {
    if (this.full) throw new Error('The lane is full');
    return this.#lengths.push(0) - 1;
  }

  /** Frees a row. The last row takes its place; returns where that one was. */
  remove(row: number): number {
    const last = this.rows - 1;
    if (row !== last) {
      const length = this.lengthOf(last);
      this.#eachHead((part, head) =>
        part.copyWithin(
          this.#offset(row, head),
          this.#offset(last, head),
          this.#offset(last, head, length),
        ),
      );
      this.#lengths[row] = length;
    }
    this.#lengths.pop();
    return last;
  }

  /** Chooses the stride for the longest row. Call it before a run, never between a run and `append`. */
  fit(): void {
    const longest = this.#lengths.reduce((max, length) => Math.max(max, length), 1);
    const stride = roundUp(longest, this.#options.bucket);
    if (stride !== this.#stride) this.#relayout(stride);
  }

  /** Takes `count` positions over from row `from` of a run's output. */
  append(row: number, output: KvOutput, from: number, count: number): void {
    const length = this.lengthOf(row);
    this.#reach(length + count);
    const dim = this.#headDim;
    this.#eachHead((part, head, index) => {
      const source = output.parts[index] as Float32Array;
      const start = (from * this.#kvHeads + head) * output.chunk * dim;
      copy(part, this.#offset(row, head, length), source, start, count * dim);
    });
    this.#lengths[row] = length + count;
  }

  /** Takes the positions of a block over. */
  restore(row: number, block: KvBlock): void {
    this.append(row, { chunk: block.positions, parts: block.parts }, 0, block.positions);
  }

  /** A copy of the row's positions from `start` on. */
  snapshot(row: number, start = 0): KvBlock {
    const positions = this.lengthOf(row) - start;
    const size = positions * this.#headDim;
    const parts = this.parts.map(() => new Float32Array(this.#kvHeads * size));
    this.#eachHead((part, head, index) => {
      const offset = this.#offset(row, head, start);
      parts[index]?.set(part.subarray(offset, offset + size), head * size);
    });
    return { positions, parts };
  }

  /** Overwrites what a row holds with zeros: a NaN left behind would spoil whoever gets the place next. */
  scrub(row: number): void {
    this.#eachHead((part, head) =>
      part.fill(0, this.#offset(row, head), this.#offset(row, head, this.#stride)),
    );
  }

  #reach(length: number): void {
    if (length > this.#stride) this.#relayout(roundUp(length, this.#options.bucket));
  }

  /** Moves every head to its place under another stride, in the order that overwrites nothing still needed. */
  #relayout(stride: number): void {
    const old = this.#stride;
    const heads = this.rows * this.#kvHeads;
    const dim = this.#headDim;
    for (const part of this.parts)
      for (let step = 0; step < heads; step++) {
        const head = stride > old ? heads - 1 - step : step;
        const length = this.lengthOf(Math.floor(head / this.#kvHeads));
        const from = head * old * dim;
        part.copyWithin(head * stride * dim, from, from + length * dim);
      }
    this.#stride = stride;
  }

  #offset(row: number, head: number, position = 0): number {
    return ((row * this.#kvHeads + head) * this.#stride + position) * this.#headDim;
  }

  #eachHead(visit: (part: Float32Array, head: number, index: number) => void): void {
    for (const [index, part] of this.parts.entries())
      for (let head = 0; head < this.#kvHeads; head++) visit(part, head, index);
  }
}

/** Short copies are faster as a loop than through a view. */
function copy(
  target: Float32Array,
  at: number,
  source: Float32Array,
  start: number,
  length: number,
): void {
  if (length > 128) target.set(source.subarray(start, start + length), at);
  else for (let i = 0; i < length; i++) target[at + i] = source[start + i] as number;
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
