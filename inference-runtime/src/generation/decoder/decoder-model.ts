import { InferenceSession, Tensor } from 'onnxruntime-node';
import { appendToModel, operator, valueInfo } from '../../onnx/index.ts';
import type { DecoderLayout } from './decoder-layout.ts';
import type { KvLane, KvOutput } from './kv-lane.ts';

const masked = -1e9;

/** The next tokens of one row. */
export interface RowInput {
  /** 1 to `chunk` token ids. */
  readonly tokens: readonly number[];
}

/** Overwritten by the next run of the same size. */
export interface DecoderRun {
  /** [rows, vocab]: scores after each row's last token. */
  readonly logits: Float32Array;
  /** [rows, vocab]: their natural log-probabilities. */
  readonly logprobs: Float32Array;
  /** The likeliest token of each row. */
  likeliest(row: number): number;
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
  const session = await InferenceSession.create(withScores(model, layout), {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  });
  const buffers = createBuffers(layout);

  return {
    layout,
    async run(lane, options) {
      const { chunk } = options;
      const { feeds, shape } = buffers.prepare(lane, options);
      await session.run(feeds, shape.fetches);
      const { logits, logprobs, best, parts } = shape;
      return {
        logits,
        logprobs,
        likeliest: (row) => best.words[2 * row] ?? 0,
        output: { chunk, parts },
      };
    },
    async [Symbol.asyncDispose]() {
      await session.release();
    },
  };
}

/** Has the model give log-probabilities and likeliest tokens as well: its vector kernels beat a loop in JavaScript. */
function withScores(model: Uint8Array, { vocab }: DecoderLayout): Uint8Array {
  return appendToModel(model, {
    node: [
      operator('LogSoftmax', ['logits'], ['opea.logprobs'], { attributes: { axis: -1 } }),
      operator('ArgMax', ['logits'], ['opea.likeliest'], { attributes: { axis: -1, keepdims: 0 } }),
    ],
    output: [
      valueInfo('opea.logprobs', 'float32', ['batch', vocab]),
      valueInfo('opea.likeliest', 'int64', ['batch']),
    ],
  });
}

interface Prepared {
  readonly feeds: Record<string, Tensor>;
  readonly shape: Shape;
}

interface LaneView {
  readonly mask: Float32Array;
  readonly feeds: Record<string, Tensor>;
}

/** Reuses inputs and outputs of each size of run, so that a step allocates next to nothing. */
function createBuffers({ layers, kvHeads, headDim, vocab }: DecoderLayout) {
  const known = new Map<string, Shape>();
  const laneViews = new WeakMap<KvLane, Map<string, LaneView>>();
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
    const logprobs = new Float32Array(rows * vocab);
    const best = integers([rows]);
    const parts = names.map(() => new Float32Array(rows * kvHeads * chunk * headDim));
    const made: Shape = {
      ids: integers([rows, chunk]),
      positions: integers([rows, chunk]),
      logitIndex: integers([rows]),
      chunkMask: new Tensor('float32', causalMask(rows, chunk), [rows, 1, chunk, chunk]),
      logits,
      logprobs,
      best,
      parts,
      fetches: {
        logits: new Tensor('float32', logits, [rows, vocab]),
        'opea.logprobs': new Tensor('float32', logprobs, [rows, vocab]),
        'opea.likeliest': best.tensor,
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
  function viewOf(lane: KvLane, firstRow: number, rows: number): LaneView {
    const views = laneViews.get(lane) ?? new Map<string, LaneView>();
    laneViews.set(lane, views);
    const key = `${firstRow}+${rows}x${lane.stride}`;
    const found = views.get(key);
    if (found) return found;
    const row = kvHeads * lane.stride * headDim;
    const mask = new Float32Array(rows * lane.stride);
    const dims = [rows, kvHeads, lane.stride, headDim];
    const past = lane.parts.map((part, index) => [
      `past_${names[index]}`,
      new Tensor('float32', part.subarray(firstRow * row, (firstRow + rows) * row), dims),
    ]);
    const pastMask = new Tensor('float32', mask, [rows, 1, 1, lane.stride]);
    const made = { mask, feeds: { past_mask: pastMask, ...Object.fromEntries(past) } };
    views.set(key, made);
    return made;
  }

  return {
    prepare(lane: KvLane, { firstRow, chunk, inputs }: RunOptions): Prepared {
      const shape = shapeOf(inputs.length, chunk);
      const view = viewOf(lane, firstRow, inputs.length);
      view.mask.fill(masked);
      for (const [row, { tokens }] of inputs.entries()) {
        const length = lane.lengthOf(firstRow + row);
        view.mask.fill(0, row * lane.stride, row * lane.stride + length);
        // 64-bit little-endian integers, written by their low words.
        for (let column = 0; column < chunk; column++) {
          const at = 2 * (row * chunk + column);
          shape.ids.words[at] = tokens[column] ?? 0;
          shape.positions.words[at] = length + Math.min(column, tokens.length - 1);
        }
        shape.logitIndex.words[2 * row] = tokens.length - 1;
      }
      const { ids, positions, logitIndex, chunkMask } = shape;
      const feeds = {
        input_ids: ids.tensor,
        position_ids: positions.tensor,
        logit_index: logitIndex.tensor,
        chunk_mask: chunkMask,
        ...view.feeds,
      };
      return { feeds, shape };
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
  readonly logprobs: Float32Array;
  readonly best: Integers;
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
