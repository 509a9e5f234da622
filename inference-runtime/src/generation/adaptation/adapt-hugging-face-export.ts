import { z } from 'zod';
import type { OnnxGraph, OnnxModel, OnnxNode, OnnxValue } from '../../onnx/index.ts';
import {
  decodeModel,
  encodeModel,
  floatTensor,
  integerTensor,
  onnxType,
  operator,
  valueInfo,
} from '../../onnx/index.ts';

export interface HuggingFaceExport {
  /** `model.onnx` of a decoder with `past_key_values` in and `present` out, in 32-bit floats, weights inside the file. */
  readonly model: Uint8Array;
  /** `config.json` beside it. */
  readonly config: string;
}

const configFile = z.looseObject({
  num_attention_heads: z.int().positive(),
  max_position_embeddings: z.int().positive(),
  vocab_size: z.int().positive(),
  eos_token_id: z.union([z.int(), z.array(z.int())]).nullish(),
});

/**
 * Rewrites a decoder that Hugging Face's optimum exported into layout `decoder/1`: keys and values of new tokens leave the graph
 * instead of the whole past, scores are computed for the one asked position, and the attention mask is made from the runtime's.
 * Throws a sentence that says what is missing when the export has another form.
 */
export function adaptHuggingFaceExport({
  model: file,
  config: json,
}: HuggingFaceExport): Uint8Array {
  const config = configFile.parse(JSON.parse(json));
  const model = decodeModel(file);
  const { graph } = model;
  requireInput(graph, 'attention_mask');
  requireInput(graph, 'position_ids');
  refuseExternalData(graph);
  const caches = cachesOf(graph);
  const [first] = caches;
  if (first === undefined) throw new Error('The export has no past_key_values inputs');

  const nodes = [
    ...attentionMask(),
    ...scoresOfOnePosition(graph),
    ...caches.map(({ fresh, name }) => operator('Identity', [fresh], [`new_${name}`])),
  ];
  const adapted: OnnxGraph = {
    ...graph,
    node: nodes,
    initializer: [...graph.initializer, ...constants],
    input: layoutInputs(caches),
    output: layoutOutputs(caches, config.vocab_size),
    valueInfo: [],
  };
  return encodeModel({
    ...model,
    graph: renamed(adapted, new Map(caches.map(({ past, name }) => [past, `past_${name}`]))),
    metadataProps: metadataOf(model, {
      layers: caches.length / 2,
      heads: config.num_attention_heads,
      kv_heads: first.kvHeads,
      head_dim: first.headDim,
      context: config.max_position_embeddings,
      vocab: config.vocab_size,
      eos: [config.eos_token_id ?? []].flat().join(',') || '-1',
    }),
  });
}

/** One layer's keys or values. */
interface Cache {
  /** `key.0`, `value.0`, `key.1`, … */
  readonly name: string;
  readonly past: string;
  /** The tensor with the keys or values of the new tokens. */
  readonly fresh: string;
  readonly kvHeads: number;
  readonly headDim: number;
}

function cachesOf(graph: OnnxGraph): readonly Cache[] {
  return graph.input.flatMap((input) => {
    const match = /^past_key_values\.(\d+)\.(key|value)$/.exec(input.name);
    if (match === null) return [];
    const [, layer, part] = match;
    const [, heads, , dim] = dimensionsOf(input);
    if (input.type.tensorType.elemType !== onnxType.float32 || !heads || !dim)
      throw new Error(`${input.name} must hold 32-bit floats, with heads and size known`);
    return {
      name: `${part}.${layer}`,
      past: input.name,
      fresh: freshOf(graph, input.name, `present.${layer}.${part}`),
      kvHeads: heads,
      headDim: dim,
    };
  });
}

/** What is appended to the past: the other input of the concatenation that makes the present. */
function freshOf(graph: OnnxGraph, past: string, present: string): string {
  const node = graph.node.find(({ output }) => output.includes(present));
  const [head, fresh] = node?.input ?? [];
  if (node?.opType !== 'Concat' || head !== past || fresh === undefined)
    throw new Error(
      `${present} must be the concatenation of ${past} and new values, but comes from ${node?.opType ?? 'nowhere'}; export without fused attention`,
    );
  return fresh;
}

const unlikely = 'opea.unlikely';
const constants = [
  floatTensor(unlikely, [], Float32Array.of(-1)),
  integerTensor('opea.zero', [], [0]),
  integerTensor('opea.one', [], [1]),
  integerTensor('opea.axis1', [1], [1]),
  integerTensor('opea.rows', [2], [0, -1]),
];

/** `attention_mask` [batch, past + chunk] of ones and zeros, from `past_mask`; padding at a chunk's end is behind the causal mask. */
function attentionMask(): readonly OnnxNode[] {
  return [
    operator('Greater', ['past_mask', unlikely], ['opea.past_valid']),
    operator('Cast', ['opea.past_valid'], ['opea.past_ones'], {
      attributes: { to: onnxType.int64 },
    }),
    operator('Reshape', ['opea.past_ones', 'opea.rows'], ['opea.past_rows']),
    operator('Mul', ['input_ids', 'opea.zero'], ['opea.chunk_zeros']),
    operator('Add', ['opea.chunk_zeros', 'opea.one'], ['opea.chunk_ones']),
    operator('Concat', ['opea.past_rows', 'opea.chunk_ones'], ['attention_mask'], {
      attributes: { axis: 1 },
    }),
    operator('Unsqueeze', ['logit_index', 'opea.axis1'], ['opea.position']),
  ];
}

/** The graph's operators, with scores for the asked position only: before the output matrix where that is the last operator. */
function scoresOfOnePosition(graph: OnnxGraph): readonly OnnxNode[] {
  const pick = (from: string, to: string) =>
    operator('GatherND', [from, 'opea.position'], [to], { attributes: { batch_dims: 1 } });
  const head = graph.node.find(({ output }) => output.includes('logits'));
  const [hidden] = head?.input ?? [];
  if (head === undefined) throw new Error('The export has no output named logits');
  if (hidden !== undefined && (head.opType === 'MatMul' || head.opType === 'MatMulNBits'))
    return graph.node.flatMap((node) =>
      node === head
        ? [pick(hidden, 'opea.hidden'), { ...node, input: ['opea.hidden', ...node.input.slice(1)] }]
        : [node],
    );
  const all = graph.node.map((node) => ({
    ...node,
    input: node.input.map((name) => (name === 'logits' ? 'opea.all_logits' : name)),
    output: node.output.map((name) => (name === 'logits' ? 'opea.all_logits' : name)),
  }));
  return [...all, pick('opea.all_logits', 'logits')];
}

function layoutInputs(caches: readonly Cache[]): OnnxValue[] {
  return [
    valueInfo('input_ids', 'int64', ['batch', 'chunk']),
    valueInfo('position_ids', 'int64', ['batch', 'chunk']),
    valueInfo('past_mask', 'float32', ['batch', 1, 1, 'past']),
    valueInfo('chunk_mask', 'float32', ['batch', 1, 'chunk', 'chunk']),
    valueInfo('logit_index', 'int64', ['batch']),
    ...caches.map(({ name, kvHeads, headDim }) =>
      valueInfo(`past_${name}`, 'float32', ['batch', kvHeads, 'past', headDim]),
    ),
  ];
}

function layoutOutputs(caches: readonly Cache[], vocab: number): OnnxValue[] {
  return [
    valueInfo('logits', 'float32', ['batch', vocab]),
    ...caches.map(({ name, kvHeads, headDim }) =>
      valueInfo(`new_${name}`, 'float32', ['batch', kvHeads, 'chunk', headDim]),
    ),
  ];
}

function renamed(graph: OnnxGraph, names: ReadonlyMap<string, string>): OnnxGraph {
  return {
    ...graph,
    node: graph.node.map((node) => ({
      ...node,
      input: node.input.map((name) => names.get(name) ?? name),
    })),
  };
}

function metadataOf(
  { metadataProps }: OnnxModel,
  facts: Readonly<Record<string, string | number>>,
) {
  const named = Object.entries(facts).map(([key, value]) => [key, String(value)] as const);
  const own = [['layout', 'decoder/1'] as const, ...named].map(([key, value]) => ({
    key: `opea.${key}`,
    value,
  }));
  return [...metadataProps.filter(({ key }) => !key.startsWith('opea.')), ...own];
}

function requireInput(graph: OnnxGraph, name: string): void {
  if (!graph.input.some((input) => input.name === name))
    throw new Error(`The export has no input ${name}; export it for text generation with past`);
}

function refuseExternalData({ initializer }: OnnxGraph): void {
  const outside = initializer.find(({ externalData }) => (externalData?.length ?? 0) > 0);
  if (outside)
    throw new Error(`The weight ${outside.name} lies in another file; pack them into one`);
}

function dimensionsOf(value: OnnxValue): readonly number[] {
  return value.type.tensorType.shape.dim.map(({ dimValue }) => dimValue ?? 0);
}
