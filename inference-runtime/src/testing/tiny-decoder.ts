import { graphBuilder, onnxType } from '../onnx/index.ts';
import type { GraphBuilder } from '../onnx/index.ts';

/** The dimensions of a decoder; `context` counts tokens. */
export interface DecoderShape {
  readonly vocab: number;
  readonly context: number;
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly hidden: number;
}

export interface TinyDecoderOptions extends Partial<DecoderShape> {
  /** `int8`: eight-bit weights in blocks of 32, through ONNX Runtime's MatMulNBits. Default `fp32`. */
  readonly weights?: 'fp32' | 'int8';
  /** Seed of the random weights. */
  readonly seed?: number;
  /** Token that ends a generation. */
  readonly eos?: number;
}

const microsoft = 'com.microsoft';

/** An `.onnx` decoder in layout `decoder/1` with random weights: rotary positions, grouped queries, tied embeddings. */
export function tinyDecoder(options: TinyDecoderOptions = {}): Uint8Array {
  const shape: DecoderShape = {
    vocab: 300,
    context: 128,
    layers: 2,
    width: 32,
    heads: 4,
    kvHeads: 2,
    headDim: 8,
    hidden: 64,
    ...options,
  };
  const graph = graphBuilder('tiny-decoder');
  const random = uniform(options.seed ?? 1);
  declareInputs(graph, shape);
  const embedding = random(shape.vocab * shape.width, 1);
  graph.floats('embedding', [shape.vocab, shape.width], embedding);
  declareConstants(graph, shape);

  graph.node('Gather', ['embedding', 'input_ids'], 'x.0');
  let x = 'x.0';
  const linear = linearLayer(graph, options.weights ?? 'fp32');
  for (let layer = 0; layer < shape.layers; layer++)
    x = block({ graph, shape, linear, random }, layer, x);

  normalise(graph, x, 'final');
  graph.node('Unsqueeze', ['logit_index', 'axis1'], 'logit_rows');
  graph.node('GatherND', ['final', 'logit_rows'], 'last', { attributes: { batch_dims: 1 } });
  const { vocab, width } = shape;
  linear({ x: 'last', name: 'head', dims: [vocab, width], rows: embedding, output: 'logits' });

  return graph.build({
    'opea.layout': 'decoder/1',
    'opea.layers': String(shape.layers),
    'opea.heads': String(shape.heads),
    'opea.kv_heads': String(shape.kvHeads),
    'opea.head_dim': String(shape.headDim),
    'opea.context': String(shape.context),
    'opea.vocab': String(shape.vocab),
    'opea.eos': String(options.eos ?? 0),
  });
}

function declareInputs(graph: GraphBuilder, shape: DecoderShape): void {
  graph.input('input_ids', 'int64', ['batch', 'chunk']);
  graph.input('position_ids', 'int64', ['batch', 'chunk']);
  graph.input('past_mask', 'float32', ['batch', 1, 1, 'past']);
  graph.input('chunk_mask', 'float32', ['batch', 1, 'chunk', 'chunk']);
  graph.input('logit_index', 'int64', ['batch']);
  graph.output('logits', 'float32', ['batch', shape.vocab]);
  for (let layer = 0; layer < shape.layers; layer++)
    for (const part of ['key', 'value']) {
      graph.input(`past_${part}.${layer}`, 'float32', [
        'batch',
        shape.kvHeads,
        'past',
        shape.headDim,
      ]);
      graph.output(`new_${part}.${layer}`, 'float32', [
        'batch',
        shape.kvHeads,
        'chunk',
        shape.headDim,
      ]);
    }
}

function declareConstants(graph: GraphBuilder, shape: DecoderShape): void {
  const { width, heads, kvHeads, headDim } = shape;
  graph.floats('ones.width', [width], new Float32Array(width).fill(1));
  graph.integers('axis1', [1]);
  graph.integers('axis3', [3]);
  graph.integers('zero', [0]);
  graph.integers('end', [Number.MAX_SAFE_INTEGER]);
  graph.integers('split.qkv', [heads * headDim, kvHeads * headDim, kvHeads * headDim]);
  graph.integers('shape.q', [0, -1, heads, headDim]);
  graph.integers('shape.kv', [0, -1, kvHeads, headDim]);
  graph.integers('shape.grouped', [0, kvHeads, -1, headDim]);
  graph.integers('shape.heads', [0, heads, -1, headDim]);
  graph.integers('shape.rows', [0, -1, heads * headDim]);
  const { cos, sin } = rotaryTable(shape);
  graph.floats('cos', [shape.context, headDim / 2], cos);
  graph.floats('sin', [shape.context, headDim / 2], sin);
  // [batch, kv_heads, group * chunk, chunk] <-> [batch, heads, chunk, chunk], where the causal mask applies.
  graph.node('Shape', ['chunk_mask'], 'chunk.shape');
  graph.node('Slice', ['chunk.shape', 'axis3', 'end'], 'chunk');
  graph.integers('heads', [heads]);
  graph.integers('batch.same', [0]);
  graph.integers('kv_heads', [kvHeads]);
  graph.integers('rest', [-1]);
  const axis = { attributes: { axis: 0 } };
  graph.node('Concat', ['batch.same', 'heads', 'chunk', 'chunk'], 'shape.square', axis);
  graph.node('Concat', ['batch.same', 'kv_heads', 'rest', 'chunk'], 'shape.scores', axis);
  graph.node('Neg', ['chunk'], 'minus_chunk');
}

interface BlockOptions {
  readonly graph: GraphBuilder;
  readonly shape: DecoderShape;
  readonly linear: Linear;
  readonly random: Random;
}

function block({ graph, shape, linear, random }: BlockOptions, layer: number, x: string): string {
  const { width, heads, kvHeads, headDim, hidden } = shape;
  const n = (name: string) => `${name}.${layer}`;
  const project = (from: string, name: string, [outputs, inputs]: Dims, output: string) =>
    linear({
      x: from,
      name: n(name),
      dims: [outputs, inputs],
      rows: random(outputs * inputs, Math.sqrt(3 / inputs)),
      output: n(output),
    });

  const inner = normalise(graph, x, n('attention.in'));
  project(inner, 'w.qkv', [(heads + 2 * kvHeads) * headDim, width], 'qkv');
  graph.nodes('Split', [n('qkv'), 'split.qkv'], [n('q'), n('k'), n('v')], {
    attributes: { axis: 2 },
  });
  for (const part of ['q', 'k', 'v']) {
    graph.node('Reshape', [n(part), part === 'q' ? 'shape.q' : 'shape.kv'], n(`${part}.split`));
    const name = part === 'v' ? n('new_value') : n(`${part}.heads`);
    graph.node('Transpose', [n(`${part}.split`)], name, { attributes: { perm: [0, 2, 1, 3] } });
  }
  const rotary = { domain: microsoft };
  graph.node('RotaryEmbedding', [n('q.heads'), 'position_ids', 'cos', 'sin'], n('q.rope'), rotary);
  graph.node('RotaryEmbedding', [n('k.heads'), 'position_ids', 'cos', 'sin'], n('new_key'), rotary);
  attention(graph, shape, layer);

  project(n('attended'), 'w.out', [width, heads * headDim], 'attention.out');
  graph.node('Add', [x, n('attention.out')], n('x.mid'));
  const outer = normalise(graph, n('x.mid'), n('feed.in'));
  project(outer, 'w.up', [hidden, width], 'up');
  graph.node('Relu', [n('up')], n('relu'));
  graph.node('Mul', [n('relu'), n('relu')], n('squared'));
  project(n('squared'), 'w.down', [width, hidden], 'down');
  return graph.node('Add', [n('x.mid'), n('down')], `x.${layer + 1}`);
}

/** Scores over the past and the chunk apart, so that the past is read where it lies. */
function attention(graph: GraphBuilder, shape: DecoderShape, layer: number): void {
  const n = (name: string) => `${name}.${layer}`;
  const scaled = {
    domain: microsoft,
    attributes: { transB: 1, alpha: { float: 1 / Math.sqrt(shape.headDim) } },
  };
  const last = { attributes: { axis: -1 } };
  graph.node('Reshape', [n('q.rope'), 'shape.grouped'], n('q.grouped'));
  graph.node('FusedMatMul', [n('q.grouped'), n('past_key')], n('scores.past.raw'), scaled);
  graph.node('Add', [n('scores.past.raw'), 'past_mask'], n('scores.past'));
  graph.node('FusedMatMul', [n('q.grouped'), n('new_key')], n('scores.new.raw'), scaled);
  graph.node('Reshape', [n('scores.new.raw'), 'shape.square'], n('scores.new.square'));
  graph.node('Add', [n('scores.new.square'), 'chunk_mask'], n('scores.new.masked'));
  graph.node('Reshape', [n('scores.new.masked'), 'shape.scores'], n('scores.new'));
  graph.node('Concat', [n('scores.past'), n('scores.new')], n('scores'), last);
  graph.node('Softmax', [n('scores')], n('weights'), last);
  graph.node('Slice', [n('weights'), 'zero', 'minus_chunk', 'axis3'], n('weights.past'));
  graph.node('Slice', [n('weights'), 'minus_chunk', 'end', 'axis3'], n('weights.new'));
  graph.node('MatMul', [n('weights.past'), n('past_value')], n('mixed.past'));
  graph.node('MatMul', [n('weights.new'), n('new_value')], n('mixed.new'));
  graph.node('Add', [n('mixed.past'), n('mixed.new')], n('mixed'));
  graph.node('Reshape', [n('mixed'), 'shape.heads'], n('mixed.heads'));
  graph.node('Transpose', [n('mixed.heads')], n('mixed.rows'), {
    attributes: { perm: [0, 2, 1, 3] },
  });
  graph.node('Reshape', [n('mixed.rows'), 'shape.rows'], n('attended'));
}

type Dims = readonly [outputs: number, inputs: number];

interface LinearOptions {
  readonly x: string;
  readonly name: string;
  readonly dims: Dims;
  /** The weights, [outputs, inputs]. */
  readonly rows: Float32Array;
  readonly output: string;
}

type Linear = (options: LinearOptions) => string;

function linearLayer(graph: GraphBuilder, weights: 'fp32' | 'int8'): Linear {
  if (weights === 'fp32')
    return ({ x, name, dims: [outputs, inputs], rows, output }) => {
      graph.floats(name, [inputs, outputs], transposed(rows, outputs, inputs));
      return graph.node('MatMul', [x, name], output);
    };

  return ({ x, name, dims: [outputs, inputs], rows, output }) => {
    const { bytes, scales } = quantised(rows);
    const blocks = inputs / blockSize;
    const dims = [outputs, blocks, blockSize];
    graph.constant({ name, dims, dataType: onnxType.uint8, rawData: bytes });
    graph.floats(`${name}.scales`, [outputs * blocks], scales);
    const attributes = { N: outputs, K: inputs, bits: 8, block_size: blockSize, accuracy_level: 4 };
    const domain = microsoft;
    return graph.node('MatMulNBits', [x, name, `${name}.scales`], output, { domain, attributes });
  };
}

const blockSize = 32;

/** Symmetric bytes around 128 with one scale for each block. */
function quantised(values: Float32Array): { bytes: Uint8Array; scales: Float32Array } {
  const bytes = new Uint8Array(values.length);
  const scales = new Float32Array(values.length / blockSize);
  for (let at = 0; at < scales.length; at++) {
    const part = values.subarray(at * blockSize, (at + 1) * blockSize);
    const scale = part.reduce((max, value) => Math.max(max, Math.abs(value)), 1e-12) / 127;
    scales[at] = scale;
    for (const [index, value] of part.entries())
      bytes[at * blockSize + index] = Math.round(value / scale) + 128;
  }
  return { bytes, scales };
}

function normalise(graph: GraphBuilder, x: string, output: string): string {
  return graph.node('SimplifiedLayerNormalization', [x, 'ones.width'], output, {
    attributes: { axis: -1, epsilon: { float: 1e-5 } },
  });
}

function rotaryTable({ context, headDim }: DecoderShape) {
  const half = headDim / 2;
  const angle = (index: number) => Math.floor(index / half) * 10_000 ** (-(index % half) / half);
  const table = (f: (x: number) => number) =>
    Float32Array.from({ length: context * half }, (_, index) => f(angle(index)));
  return { cos: table(Math.cos), sin: table(Math.sin) };
}

function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      result[column * rows + row] = values[row * columns + column] ?? 0;
  return result;
}

type Random = (length: number, scale: number) => Float32Array;

/** Values in [-scale, scale) from a linear congruential generator (Numerical Recipes' constants). */
function uniform(seed: number): Random {
  let state = seed >>> 0;
  return (length, scale) => {
    const values = new Float32Array(length);
    for (let index = 0; index < length; index++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      values[index] = (state / 2 ** 31 - 1) * scale;
    }
    return values;
  };
}
