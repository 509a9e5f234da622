import type { GraphBuilder } from '../../onnx/index.ts';

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
  /** Base of the rotary frequencies (RoFormer, Su et al. 2021); default 10,000. */
  readonly ropeBase?: number;
  /** Rotary positions turn neighbouring values instead of the two halves of a head. */
  readonly ropeInterleaved?: boolean;
  /** Added to the variance when a vector is normalised; default 1e-5. */
  readonly normEpsilon?: number;
}

const microsoft = 'com.microsoft';

/** Inputs, outputs and constants of a decoder in layout `decoder/1`. */
export function declareDecoder(graph: GraphBuilder, shape: DecoderShape): void {
  declareInputs(graph, shape);
  declareConstants(graph, shape);
}

/** The properties that tell the runtime what a file in layout `decoder/1` holds. */
export function decoderMetadata(
  shape: DecoderShape,
  eos: readonly number[],
): Readonly<Record<string, string>> {
  return {
    'opea.layout': 'decoder/1',
    'opea.layers': String(shape.layers),
    'opea.heads': String(shape.heads),
    'opea.kv_heads': String(shape.kvHeads),
    'opea.head_dim': String(shape.headDim),
    'opea.context': String(shape.context),
    'opea.vocab': String(shape.vocab),
    'opea.eos': eos.join(','),
  };
}

/** Turns `q.<layer>`, `k.<layer>` and `v.<layer>` [batch, chunk, heads × dim] into `attended.<layer>` of the queries' shape. */
export function attend(graph: GraphBuilder, shape: DecoderShape, layer: number): void {
  const n = (name: string) => `${name}.${layer}`;
  for (const part of ['q', 'k', 'v']) {
    graph.node('Reshape', [n(part), part === 'q' ? 'shape.q' : 'shape.kv'], n(`${part}.split`));
    const name = part === 'v' ? n('new_value') : n(`${part}.heads`);
    graph.node('Transpose', [n(`${part}.split`)], name, { attributes: { perm: [0, 2, 1, 3] } });
  }
  const interleaved = shape.ropeInterleaved === true ? 1 : 0;
  const rotary = { domain: microsoft, attributes: { interleaved } };
  graph.node('RotaryEmbedding', [n('q.heads'), 'position_ids', 'cos', 'sin'], n('q.rope'), rotary);
  graph.node('RotaryEmbedding', [n('k.heads'), 'position_ids', 'cos', 'sin'], n('new_key'), rotary);
  attention(graph, shape, layer);
}

/** Takes each row's asked position out of `x` [batch, chunk, width], as `output` [batch, width]. */
export function pickPosition(graph: GraphBuilder, x: string, output: string): string {
  graph.node('Unsqueeze', ['logit_index', 'axis1'], 'logit_rows');
  return graph.node('GatherND', [x, 'logit_rows'], output, { attributes: { batch_dims: 1 } });
}

/** RMS normalisation over the last dimension, with a gain. */
export function normalise(
  graph: GraphBuilder,
  { normEpsilon = 1e-5 }: DecoderShape,
  { x, gain, output }: { readonly x: string; readonly gain: string; readonly output: string },
): string {
  return graph.node('SimplifiedLayerNormalization', [x, gain], output, {
    attributes: { axis: -1, epsilon: { float: normEpsilon } },
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
  const { heads, kvHeads, headDim } = shape;
  graph.integers('axis1', [1]);
  graph.integers('axis3', [3]);
  graph.integers('zero', [0]);
  graph.integers('end', [Number.MAX_SAFE_INTEGER]);
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

function rotaryTable({ context, headDim, ropeBase = 10_000 }: DecoderShape) {
  const half = headDim / 2;
  const angle = (index: number) => Math.floor(index / half) * ropeBase ** (-(index % half) / half);
  const table = (f: (x: number) => number) =>
    Float32Array.from({ length: context * half }, (_, index) => f(angle(index)));
  return { cos: table(Math.cos), sin: table(Math.sin) };
}
