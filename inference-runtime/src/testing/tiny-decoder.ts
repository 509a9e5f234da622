import {
  attend,
  type DecoderShape,
  declareDecoder,
  decoderMetadata,
  normalise,
  pickPosition,
} from '../generation/decoder-graph/decoder-graph.ts';
import { type Dims, type Linear, linearLayer } from '../generation/decoder-graph/linear-layer.ts';
import { type GraphBuilder, graphBuilder } from '../onnx/index.ts';

export type { DecoderShape };

export interface TinyDecoderOptions extends Partial<DecoderShape> {
  /** `int8`: eight-bit weights in blocks of 32, through ONNX Runtime's MatMulNBits. Default `fp32`. */
  readonly weights?: 'fp32' | 'int8';
  /** Seed of the random weights. */
  readonly seed?: number;
  /** Token that ends a generation. */
  readonly eos?: number;
}

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
  declareDecoder(graph, shape);
  const { width, heads, kvHeads, headDim } = shape;
  graph.floats('ones.width', [width], new Float32Array(width).fill(1));
  graph.integers('split.qkv', [heads * headDim, kvHeads * headDim, kvHeads * headDim]);
  const embedding = random(shape.vocab * shape.width, 1);
  graph.floats('embedding', [shape.vocab, shape.width], embedding);

  graph.node('Gather', ['embedding', 'input_ids'], 'x.0');
  let x = 'x.0';
  const linear = linearLayer(graph, options.weights ?? 'fp32');
  for (let layer = 0; layer < shape.layers; layer++)
    x = block({ graph, shape, linear, random }, layer, x);

  normalise(graph, shape, { x, gain: 'ones.width', output: 'final' });
  pickPosition(graph, 'final', 'last');
  linear({
    x: 'last',
    name: 'head',
    dims: [shape.vocab, width],
    rows: embedding,
    output: 'logits',
  });
  return graph.build(decoderMetadata(shape, [options.eos ?? 0]));
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

  const inner = normalise(graph, shape, {
    x,
    gain: 'ones.width',
    output: n('attention.in'),
  });
  project(inner, 'w.qkv', [(heads + 2 * kvHeads) * headDim, width], 'qkv');
  graph.nodes('Split', [n('qkv'), 'split.qkv'], [n('q'), n('k'), n('v')], {
    attributes: { axis: 2 },
  });
  attend(graph, shape, layer);

  project(n('attended'), 'w.out', [width, heads * headDim], 'attention.out');
  graph.node('Add', [x, n('attention.out')], n('x.mid'));
  const outer = normalise(graph, shape, {
    x: n('x.mid'),
    gain: 'ones.width',
    output: n('feed.in'),
  });
  project(outer, 'w.up', [hidden, width], 'up');
  graph.node('Relu', [n('up')], n('relu'));
  graph.node('Mul', [n('relu'), n('relu')], n('squared'));
  project(n('squared'), 'w.down', [width, hidden], 'down');
  return graph.node('Add', [n('x.mid'), n('down')], `x.${layer + 1}`);
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
