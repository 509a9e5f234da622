import { decodeModel, graphBuilder, onnxType } from '../onnx/index.ts';
import { tinyDecoder } from './tiny-decoder.ts';

export interface TinyExport {
  readonly model: Uint8Array;
  readonly config: string;
}

const shape = {
  vocab: 300,
  context: 128,
  layers: 2,
  width: 32,
  heads: 4,
  kvHeads: 2,
  headDim: 8,
  hidden: 64,
};

/** The tiny decoder with the weights of a seed, written the way Hugging Face's optimum exports a decoder: past in, present out. */
export function tinyHuggingFaceExport({
  vocab,
  seed = 1,
}: {
  vocab: number;
  seed?: number;
}): TinyExport {
  const graph = graphBuilder('main_graph');
  for (const weight of decodeModel(tinyDecoder({ vocab, seed })).graph.initializer)
    graph.constant(weight);
  const { layers, kvHeads, headDim } = shape;
  graph.input('input_ids', 'int64', ['batch', 'sequence']);
  graph.input('attention_mask', 'int64', ['batch', 'total']);
  graph.input('position_ids', 'int64', ['batch', 'sequence']);
  graph.output('logits', 'float32', ['batch', 'sequence', vocab]);
  for (let layer = 0; layer < layers; layer++)
    for (const part of ['key', 'value']) {
      const dims = (length: string) => ['batch', kvHeads, length, headDim] as const;
      graph.input(`past_key_values.${layer}.${part}`, 'float32', dims('past'));
      graph.output(`present.${layer}.${part}`, 'float32', dims('total'));
    }
  causalMask(graph);
  graph.node('Gather', ['embedding', 'input_ids'], 'x.0');
  let x = 'x.0';
  for (let layer = 0; layer < layers; layer++) x = block(graph, layer, x);
  const attributes = { axis: -1, epsilon: { float: 1e-5 } };
  graph.node('SimplifiedLayerNormalization', [x, 'ones.width'], 'final', { attributes });
  graph.node('MatMul', ['final', 'head'], 'logits');
  return {
    model: graph.build(),
    config: JSON.stringify({
      model_type: 'tiny',
      num_attention_heads: shape.heads,
      max_position_embeddings: shape.context,
      vocab_size: vocab,
      eos_token_id: 0,
    }),
  };
}

type Graph = ReturnType<typeof graphBuilder>;

/** Token i of the sequence sees position j of past and sequence when j ≤ past + i and the attention mask is 1 there. */
function causalMask(graph: Graph): void {
  graph.integers('hf.axis0', [0]);
  graph.integers('hf.axes12', [1, 2]);
  graph.integers('hf.zero', [0], []);
  graph.integers('hf.one', [1], []);
  graph.integers('hf.index1', [1], []);
  graph.floats('hf.low', [], Float32Array.of(-3.4e38));
  graph.floats('hf.high', [], Float32Array.of(0));
  graph.node('Shape', ['attention_mask'], 'hf.mask_shape');
  graph.node('Shape', ['input_ids'], 'hf.ids_shape');
  graph.node('Gather', ['hf.mask_shape', 'hf.index1'], 'hf.total');
  graph.node('Gather', ['hf.ids_shape', 'hf.index1'], 'hf.count');
  graph.node('Sub', ['hf.total', 'hf.count'], 'hf.past');
  graph.node('Range', ['hf.zero', 'hf.total', 'hf.one'], 'hf.columns');
  graph.node('Range', ['hf.past', 'hf.total', 'hf.one'], 'hf.rows');
  graph.node('Unsqueeze', ['hf.rows', 'axis1'], 'hf.rows_upright');
  graph.node('LessOrEqual', ['hf.columns', 'hf.rows_upright'], 'hf.causal');
  graph.node('Cast', ['attention_mask'], 'hf.mask', { attributes: { to: onnxType.bool } });
  graph.node('Unsqueeze', ['hf.mask', 'hf.axes12'], 'hf.mask_wide');
  graph.node('And', ['hf.causal', 'hf.mask_wide'], 'hf.visible');
  graph.node('Where', ['hf.visible', 'hf.high', 'hf.low'], 'hf.bias');
}

function block(graph: Graph, layer: number, x: string): string {
  const { heads, kvHeads, headDim } = shape;
  const n = (name: string) => `${name}.${layer}`;
  const normal = { attributes: { axis: -1, epsilon: { float: 1e-5 } } };
  const swap = { attributes: { perm: [0, 2, 1, 3] } };
  const rotary = { domain: 'com.microsoft' };
  graph.node('SimplifiedLayerNormalization', [x, 'ones.width'], n('in'), normal);
  graph.node('MatMul', [n('in'), n('w.qkv')], n('qkv'));
  graph.nodes('Split', [n('qkv'), 'split.qkv'], [n('q'), n('k'), n('v')], {
    attributes: { axis: 2 },
  });
  for (const part of ['q', 'k', 'v']) {
    graph.node('Reshape', [n(part), part === 'q' ? 'shape.q' : 'shape.kv'], n(`${part}.split`));
    graph.node('Transpose', [n(`${part}.split`)], n(`${part}.heads`), swap);
  }
  graph.node('RotaryEmbedding', [n('q.heads'), 'position_ids', 'cos', 'sin'], n('q.rope'), rotary);
  graph.node('RotaryEmbedding', [n('k.heads'), 'position_ids', 'cos', 'sin'], n('k.rope'), rotary);
  const axis = { attributes: { axis: -2 } };
  const past = (part: string) => `past_key_values.${layer}.${part}`;
  graph.node('Concat', [past('key'), n('k.rope')], `present.${layer}.key`, axis);
  graph.node('Concat', [past('value'), n('v.heads')], `present.${layer}.value`, axis);
  graph.integers(n('hf.repeat'), [1, 1, heads / kvHeads, 1, 1]);
  graph.integers(n('hf.axis2'), [2]);
  graph.integers(n('hf.merged'), [0, heads, -1, headDim]);
  for (const part of ['key', 'value']) {
    graph.node('Unsqueeze', [`present.${layer}.${part}`, n('hf.axis2')], n(`${part}.5d`));
    graph.node('Tile', [n(`${part}.5d`), n('hf.repeat')], n(`${part}.tiled`));
    graph.node('Reshape', [n(`${part}.tiled`), n('hf.merged')], n(`${part}.all`));
  }
  graph.node('Transpose', [n('key.all')], n('key.t'), { attributes: { perm: [0, 1, 3, 2] } });
  graph.node('MatMul', [n('q.rope'), n('key.t')], n('products'));
  graph.floats(n('hf.scale'), [], Float32Array.of(1 / Math.sqrt(headDim)));
  graph.node('Mul', [n('products'), n('hf.scale')], n('scaled'));
  graph.node('Add', [n('scaled'), 'hf.bias'], n('scores'));
  graph.node('Softmax', [n('scores')], n('weights'), { attributes: { axis: -1 } });
  graph.node('MatMul', [n('weights'), n('value.all')], n('mixed'));
  graph.node('Transpose', [n('mixed')], n('mixed.rows'), swap);
  graph.node('Reshape', [n('mixed.rows'), 'shape.rows'], n('attended'));
  graph.node('MatMul', [n('attended'), n('w.out')], n('out'));
  graph.node('Add', [x, n('out')], n('mid'));
  graph.node('SimplifiedLayerNormalization', [n('mid'), 'ones.width'], n('feed'), normal);
  graph.node('MatMul', [n('feed'), n('w.up')], n('up'));
  graph.node('Relu', [n('up')], n('relu'));
  graph.node('Mul', [n('relu'), n('relu')], n('squared'));
  graph.node('MatMul', [n('squared'), n('w.down')], n('down'));
  return graph.node('Add', [n('mid'), n('down')], `x.${layer + 1}`);
}
