import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { DecoderLayout } from './decoder-layout.ts';
import type { KvLane, KvOutput } from './kv-lane.ts';

const masked = -1e9;

/** The next tokens of one row. */
export interface RowInput {
  /** 1 to `chunk` token ids. */
  readonly tokens: readonly number[];
}

export interface DecoderRun {
  /** [rows, vocab]: scores after each row's last token. Overwritten by the next run. */
  readonly logits: Float32Array;
  /** Overwritten by the next run with the same chunk. */
  readonly output: KvOutput;
}

export interface DecoderModel extends AsyncDisposable {
  readonly layout: DecoderLayout;
  /**
   * Runs the rows of a lane from `firstRow` on, one for each input, over up to `chunk` new tokens each. The caller appends the
   * keys and values. Tokens short of the chunk are padded behind a mask.
   */
  run(lane: KvLane, options: RunOptions): Promise<DecoderRun>;
}

export interface RunOptions {
  readonly firstRow: number;
  readonly chunk: number;
  readonly inputs: readonly RowInput[];
}

export interface OpenDecoderModel {
  readonly model: Uint8Array;
  readonly layout: DecoderLayout;
  /** Intra-op threads. */
  readonly threads: number;
}

/** Opens an ONNX model in layout `decoder/1` on the CPU. Belongs in a worker: a run blocks its thread. */
export async function openDecoderModel({
  model,
  layout,
  threads,
}: OpenDecoderModel): Promise<DecoderModel> {
  const session = await InferenceSession.create(model, {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
  });
  const buffers = createBuffers(layout);

  return {
    layout,
    async run(lane, options) {
      const { chunk, inputs } = options;
      const rows = inputs.length;
      const prepared = buffers.prepare(lane, options);
      await session.run(prepared.feeds, prepared.fetches);
      return {
        logits: prepared.logits.subarray(0, rows * layout.vocab),
        output: { chunk, parts: prepared.parts },
      };
    },
    async [Symbol.asyncDispose]() {
      await session.release();
    },
  };
}

interface Prepared {
  readonly feeds: Record<string, Tensor>;
  readonly fetches: Record<string, Tensor>;
  readonly logits: Float32Array;
  readonly parts: readonly Float32Array[];
}

/** Reuses inputs and outputs of each size of run, so that a step allocates next to nothing. */
function createBuffers({ layers, kvHeads, headDim, vocab }: DecoderLayout) {
  const known = new Map<string, Shape>();
  const laneViews = new WeakMap<KvLane, Map<string, Record<string, Tensor>>>();
  const names = Array.from({ length: 2 * layers }, (_, part) =>
    part % 2 === 0 ? `key.${part >> 1}` : `value.${part >> 1}`,
  );

  function shapeOf(rows: number, chunk: number): Shape {
    const key = `${rows}x${chunk}`;
    const found = known.get(key);
    if (found) return found;
    const integers = (dims: number[]) => {
      const values = new BigInt64Array(rows * chunk).subarray(0, size(dims));
      return { words: new Int32Array(values.buffer), tensor: new Tensor('int64', values, dims) };
    };
    const logits = new Float32Array(rows * vocab);
    const parts = names.map(() => new Float32Array(rows * kvHeads * chunk * headDim));
    const made: Shape = {
      ids: integers([rows, chunk]),
      positions: integers([rows, chunk]),
      logitIndex: integers([rows]),
      chunkMask: new Tensor('float32', causalMask(rows, chunk), [rows, 1, chunk, chunk]),
      logits,
      parts,
      fetches: {
        logits: new Tensor('float32', logits, [rows, vocab]),
        ...Object.fromEntries(
          names.map((name, part) => [
            `new_${name}`,
            new Tensor('float32', parts[part] as Float32Array, [rows, kvHeads, chunk, headDim]),
          ]),
        ),
      },
    };
    known.set(key, made);
    return made;
  }

  /** Views of the lane's rows as the model's past inputs. */
  function pastOf(lane: KvLane, firstRow: number, rows: number): Record<string, Tensor> {
    const views = laneViews.get(lane) ?? new Map<string, Record<string, Tensor>>();
    laneViews.set(lane, views);
    const key = `${firstRow}+${rows}x${lane.stride}`;
    const found = views.get(key);
    if (found) return found;
    const row = kvHeads * lane.stride * headDim;
    const made = Object.fromEntries(
      names.map((name, part) => [
        `past_${name}`,
        new Tensor(
          'float32',
          (lane.parts[part] as Float32Array).subarray(firstRow * row, (firstRow + rows) * row),
          [rows, kvHeads, lane.stride, headDim],
        ),
      ]),
    );
    views.set(key, made);
    return made;
  }

  return {
    prepare(lane: KvLane, { firstRow, chunk, inputs }: RunOptions): Prepared {
      const rows = inputs.length;
      const shape = shapeOf(rows, chunk);
      const pastMask = new Float32Array(rows * lane.stride).fill(masked);
      for (const [row, { tokens }] of inputs.entries()) {
        const length = lane.lengthOf(firstRow + row);
        pastMask.fill(0, row * lane.stride, row * lane.stride + length);
        // 64-bit little-endian integers, written by their low words.
        for (let column = 0; column < chunk; column++) {
          const at = 2 * (row * chunk + column);
          shape.ids.words[at] = tokens[column] ?? 0;
          shape.positions.words[at] = length + Math.min(column, tokens.length - 1);
        }
        shape.logitIndex.words[2 * row] = tokens.length - 1;
      }
      return {
        logits: shape.logits,
        parts: shape.parts,
        fetches: shape.fetches,
        feeds: {
          input_ids: shape.ids.tensor,
          position_ids: shape.positions.tensor,
          logit_index: shape.logitIndex.tensor,
          chunk_mask: shape.chunkMask,
          past_mask: new Tensor('float32', pastMask, [rows, 1, 1, lane.stride]),
          ...pastOf(lane, firstRow, rows),
        },
      };
    },
  };
}

interface Integers {
  readonly words: Int32Array;
  readonly tensor: Tensor;
}

interface Shape {
  readonly ids: Integers;
  readonly positions: Integers;
  readonly logitIndex: Integers;
  readonly chunkMask: Tensor;
  readonly logits: Float32Array;
  readonly parts: readonly Float32Array[];
  readonly fetches: Record<string, Tensor>;
}

function causalMask(rows: number, chunk: number): Float32Array {
  const mask = new Float32Array(rows * chunk * chunk);
  for (let row = 0; row < rows * chunk; row++)
    mask.fill(masked, row * chunk + (row % chunk) + 1, (row + 1) * chunk);
  return mask;
}

function size(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}
