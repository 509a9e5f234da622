import { z } from 'zod';
import { type GraphBuilder, graphBuilder, onnxType } from '../../../onnx/index.ts';
import {
  attend,
  type DecoderShape,
  declareDecoder,
  decoderMetadata,
  normalise,
  pickPosition,
} from '../../decoder-graph/decoder-graph.ts';
import {
  blockSize,
  type Linear,
  linearLayer,
  packedLinear,
  quantised,
} from '../../decoder-graph/linear-layer.ts';
import { ggufFloats } from './gguf-floats.ts';
import { ggufTokenizer } from './gguf-tokenizer.ts';
import { type GgufFile, readGguf } from './read-gguf.ts';

export interface AdaptedGguf {
  /** In layout `decoder/1`, weights as eight-bit blocks. */
  readonly model: Uint8Array;
  /** `tokenizer.json`. */
  readonly tokenizer: string;
}

const facts = z.object({
  'general.architecture': z.literal('llama', 'only the architecture llama is supported'),
  'llama.block_count': z.int().positive(),
  'llama.context_length': z.int().positive(),
  'llama.embedding_length': z.int().positive(),
  'llama.feed_forward_length': z.int().positive(),
  'llama.attention.head_count': z.int().positive(),
  'llama.attention.head_count_kv': z.int().positive().optional(),
  'llama.attention.layer_norm_rms_epsilon': z.number().positive(),
  'llama.rope.freq_base': z.number().positive().default(10_000),
  'tokenizer.ggml.tokens': z.array(z.string()),
  'tokenizer.ggml.eos_token_id': z.int(),
});

export interface AdaptGgufOptions {
  /** Longest context to keep; the file's own when less. Its rotary tables are stored. Default 4,096 tokens. */
  readonly maxContext?: number;
}

/**
 * Makes a decoder of layout `decoder/1`, and its tokenizer, from a GGUF file of a llama-like model (Llama, SmolLM, TinyLlama, …).
 * Eight-bit blocks of the file keep their values; others are rounded to eight bits. Throws when the file is of another kind.
 */
export function adaptGguf(
  file: Uint8Array,
  { maxContext = 4_096 }: AdaptGgufOptions = {},
): AdaptedGguf {
  const gguf = readGguf(file);
  const parsed = facts.safeParse(Object.fromEntries(gguf.metadata));
  if (!parsed.success)
    throw new Error(`The GGUF file cannot be used: ${z.prettifyError(parsed.error)}`);
  const found = parsed.data;
  const heads = found['llama.attention.head_count'];
  const width = found['llama.embedding_length'];
  const tokens = found['tokenizer.ggml.tokens'];
  const shape: DecoderShape = {
    vocab: tokens.length,
    context: Math.min(maxContext, found['llama.context_length']),
    layers: found['llama.block_count'],
    width,
    heads,
    kvHeads: found['llama.attention.head_count_kv'] ?? heads,
    headDim: width / heads,
    hidden: found['llama.feed_forward_length'],
    ropeBase: found['llama.rope.freq_base'],
    ropeInterleaved: true,
    normEpsilon: found['llama.attention.layer_norm_rms_epsilon'],
  };
  const endOfText = tokens.indexOf('<|endoftext|>');
  const ends = new Set([
    found['tokenizer.ggml.eos_token_id'],
    ...(endOfText < 0 ? [] : [endOfText]),
  ]);
  return { model: llamaGraph(gguf, shape, [...ends]), tokenizer: ggufTokenizer(gguf) };
}

function llamaGraph(gguf: GgufFile, shape: DecoderShape, ends: readonly number[]): Uint8Array {
  const graph = graphBuilder('llama');
  declareDecoder(graph, shape);
  const weights = (name: string) => {
    const tensor = gguf.tensors.get(name);
    if (tensor === undefined) throw new Error(`The GGUF file has no weight ${name}`);
    return ggufFloats(tensor);
  };
  const linear = linearLayer(graph, 'int8');
  embed(graph, shape, weights('token_embd.weight'));
  let x = 'x.0';
  for (let layer = 0; layer < shape.layers; layer++)
    x = block({ graph, shape, linear, weights, layer }, x);

  const gain = graph.floats('output_norm', [shape.width], weights('output_norm.weight'));
  pickPosition(graph, x, 'x.last');
  normalise(graph, shape, { x: 'x.last', gain, output: 'last' });
  const dims = [shape.vocab, shape.width] as const;
  if (gguf.tensors.has('output.weight'))
    linear({ x: 'last', name: 'head', dims, rows: weights('output.weight'), output: 'logits' });
  else {
    graph.integers('table.blocks', [shape.vocab, shape.width / blockSize, blockSize]);
    graph.node('Reshape', ['table', 'table.blocks'], 'head');
    packedLinear(graph, {
      x: 'last',
      bytes: 'head',
      scales: 'table.scales',
      dims,
      output: 'logits',
    });
  }
  return graph.build(decoderMetadata(shape, ends));
}

/** Looks rows up in the table as eight-bit blocks. */
function embed(graph: GraphBuilder, { vocab, width }: DecoderShape, table: Float32Array): void {
  const { bytes, scales } = quantised(table);
  graph.constant({ name: 'table', dims: [vocab, width], dataType: onnxType.uint8, rawData: bytes });
  graph.floats('table.scales', [vocab, width / blockSize], scales);
  graph.node('GatherBlockQuantized', ['table', 'input_ids', 'table.scales'], 'x.0', {
    domain: 'com.microsoft',
    attributes: { block_size: blockSize, bits: 8, quantize_axis: 1 },
  });
}

interface BlockOptions {
  readonly graph: GraphBuilder;
  readonly shape: DecoderShape;
  readonly linear: Linear;
  readonly weights: (name: string) => Float32Array;
  readonly layer: number;
}

/** Attention and gated feed-forward (SwiGLU, Shazeer 2020), each behind a normalisation. */
function block({ graph, shape, linear, weights, layer }: BlockOptions, x: string): string {
  const { width, heads, kvHeads, headDim, hidden } = shape;
  const n = (name: string) => `${name}.${layer}`;
  const stored = (name: string) => weights(`blk.${layer}.${name}.weight`);
  const project = (from: string, name: string, output: string) =>
    linear({
      x: from,
      name: n(name),
      dims: [sizes[name] ?? width, inputs[name] ?? width],
      rows: stored(name),
      output: n(output),
    });
  const sizes: Readonly<Record<string, number>> = {
    attn_q: heads * headDim,
    attn_k: kvHeads * headDim,
    attn_v: kvHeads * headDim,
    ffn_gate: hidden,
    ffn_up: hidden,
  };
  const inputs: Readonly<Record<string, number>> = {
    attn_output: heads * headDim,
    ffn_down: hidden,
  };
  const normal = (from: string, name: string) =>
    normalise(graph, shape, {
      x: from,
      gain: graph.floats(n(name), [width], stored(name)),
      output: n(`${name}.out`),
    });

  const inner = normal(x, 'attn_norm');
  project(inner, 'attn_q', 'q');
  project(inner, 'attn_k', 'k');
  project(inner, 'attn_v', 'v');
  attend(graph, shape, layer);
  project(n('attended'), 'attn_output', 'attention.out');
  graph.node('Add', [x, n('attention.out')], n('x.mid'));
  const outer = normal(n('x.mid'), 'ffn_norm');
  project(outer, 'ffn_gate', 'gate');
  project(outer, 'ffn_up', 'up');
  graph.node('Sigmoid', [n('gate')], n('sigmoid'));
  graph.node('Mul', [n('gate'), n('sigmoid')], n('silu'));
  graph.node('Mul', [n('silu'), n('up')], n('gated'));
  project(n('gated'), 'ffn_down', 'down');
  return graph.node('Add', [n('x.mid'), n('down')], `x.${layer + 1}`);
}
