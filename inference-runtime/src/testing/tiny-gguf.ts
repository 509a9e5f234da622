import { seededFloats } from './tiny-models.ts';
import { tinyTokenizer } from './tiny-tokenizer.ts';

export interface LlamaWeights {
  readonly shape: {
    readonly vocab: number;
    readonly layers: number;
    readonly width: number;
    readonly heads: number;
    readonly kvHeads: number;
    readonly headDim: number;
    readonly hidden: number;
  };
  /** A weight's values as they were before storage, by its name without `.weight`. */
  of(name: string): Float32Array;
}

export interface TinyGgufOptions {
  readonly storage: 'F32' | 'Q8_0' | 'Q4_1';
  readonly eos: number;
  readonly architecture?: string;
}

const alignment = 32;
const context = 64;

/** A GGUF file (version 3) of a llama with random weights, and the values that a reader should find in it. */
export function tinyGguf({ storage, eos, architecture = 'llama' }: TinyGgufOptions): {
  readonly file: Uint8Array;
  readonly weights: LlamaWeights;
} {
  const { json, vocab } = tinyTokenizer();
  const shape = { vocab, layers: 2, width: 32, heads: 4, kvHeads: 2, headDim: 8, hidden: 64 };
  const stored = namesAndSizes(shape).map(({ name, dims }, seed) => {
    const size = dims.reduce((product, dim) => product * dim, 1);
    const values = name.includes('norm')
      ? new Float32Array(size).fill(1)
      : seededFloats(size, { seed: seed + 1, scale: /_[qk]$/.test(name) ? 1 : 0.25 });
    const kept = dims.length === 1 ? 'F32' : storage;
    return { name, dims, kept, ...store(values, kept) };
  });

  const out = writer();
  out.u32(0x46554747);
  out.u32(3);
  out.u64(stored.length);
  const facts = metadataOf(shape, JSON.parse(json), { eos, architecture });
  out.u64(facts.length);
  for (const write of facts) write(out);
  let offset = 0;
  for (const { name, dims, kept, bytes } of stored) {
    out.text(`${name}.weight`);
    out.u32(dims.length);
    for (const dim of dims) out.u64(dim);
    out.u32({ F32: 0, Q4_1: 3, Q8_0: 8 }[kept]);
    out.u64(offset);
    offset += Math.ceil(bytes.length / alignment) * alignment;
  }
  out.align(alignment);
  for (const { bytes } of stored) {
    out.bytes(bytes);
    out.align(alignment);
  }
  const byName = new Map(stored.map(({ name, values }) => [name, values]));
  return {
    file: out.done(),
    weights: { shape, of: (name) => byName.get(name) ?? new Float32Array() },
  };
}

function namesAndSizes({
  vocab,
  layers,
  width,
  heads,
  kvHeads,
  headDim,
  hidden,
}: LlamaWeights['shape']) {
  const blocks = Array.from({ length: layers }, (_, layer) =>
    Object.entries({
      attn_norm: [width],
      attn_q: [width, heads * headDim],
      attn_k: [width, kvHeads * headDim],
      attn_v: [width, kvHeads * headDim],
      attn_output: [heads * headDim, width],
      ffn_norm: [width],
      ffn_gate: [width, hidden],
      ffn_up: [width, hidden],
      ffn_down: [hidden, width],
    }).map(([part, dims]) => ({ name: `blk.${layer}.${part}`, dims })),
  );
  return [
    { name: 'token_embd', dims: [width, vocab] },
    ...blocks.flat(),
    { name: 'output_norm', dims: [width] },
  ];
}

type Writer = ReturnType<typeof writer>;

function metadataOf(
  shape: LlamaWeights['shape'],
  tokenizer: { model: { vocab: Record<string, number>; merges: [string, string][] } },
  { eos, architecture }: { readonly eos: number; readonly architecture: string },
): readonly ((out: Writer) => void)[] {
  const tokens = Object.keys(tokenizer.model.vocab);
  return [
    text('general.architecture', architecture),
    number('llama.block_count', shape.layers),
    number('llama.context_length', context),
    number('llama.embedding_length', shape.width),
    number('llama.feed_forward_length', shape.hidden),
    number('llama.attention.head_count', shape.heads),
    number('llama.attention.head_count_kv', shape.kvHeads),
    (out) => {
      out.text('llama.attention.layer_norm_rms_epsilon');
      out.u32(6);
      out.f32(1e-5);
    },
    text('tokenizer.ggml.model', 'gpt2'),
    list('tokenizer.ggml.tokens', 8, tokens, (out, token) => out.text(token)),
    list('tokenizer.ggml.token_type', 5, tokens, (out, _, id) => out.u32(id === eos ? 3 : 1)),
    list('tokenizer.ggml.merges', 8, tokenizer.model.merges, (out, pair) =>
      out.text(pair.join(' ')),
    ),
    number('tokenizer.ggml.eos_token_id', eos),
  ];
}

function text(key: string, value: string) {
  return (out: Writer) => {
    out.text(key);
    out.u32(8);
    out.text(value);
  };
}

function number(key: string, value: number) {
  return (out: Writer) => {
    out.text(key);
    out.u32(4);
    out.u32(value);
  };
}

function list<Item>(
  key: string,
  type: number,
  items: readonly Item[],
  write: (out: Writer, item: Item, index: number) => void,
) {
  return (out: Writer) => {
    out.text(key);
    out.u32(9);
    out.u32(type);
    out.u64(items.length);
    for (const [index, item] of items.entries()) write(out, item, index);
  };
}

/** Bytes of the values in a storage type, and the values that those bytes stand for. Scales are powers of two, exact in 16 bits. */
function store(values: Float32Array, storage: 'F32' | 'Q8_0' | 'Q4_1') {
  if (storage === 'F32') return { values, bytes: new Uint8Array(values.slice().buffer) };
  const kept = new Float32Array(values.length);
  const out = writer();
  for (let start = 0; start < values.length; start += 32) {
    const block = values.subarray(start, start + 32);
    if (storage === 'Q8_0') {
      out.u16(powerOfTwo(-7));
      for (const [index, value] of block.entries()) {
        const rounded = Math.max(-127, Math.min(127, Math.round(value * 128)));
        out.bytes(Uint8Array.of(rounded & 255));
        kept[start + index] = rounded / 128;
      }
    } else {
      out.u16(powerOfTwo(-3));
      out.u16(powerOfTwo(0) | 0x8000);
      const nibbles = block.map((value) => Math.max(0, Math.min(15, Math.round((value + 1) * 8))));
      for (let index = 0; index < 16; index++)
        out.bytes(Uint8Array.of((nibbles[index] ?? 0) | ((nibbles[index + 16] ?? 0) << 4)));
      for (const [index, nibble] of nibbles.entries()) kept[start + index] = nibble / 8 - 1;
    }
  }
  return { values: kept, bytes: out.done() };
}

/** 2^exponent as a 16-bit float. */
function powerOfTwo(exponent: number): number {
  return (exponent + 15) << 10;
}

function writer() {
  const parts: Uint8Array[] = [];
  let length = 0;
  const bytes = (part: Uint8Array) => {
    parts.push(part);
    length += part.length;
  };
  const view = (size: number, write: (target: DataView) => void) => {
    const part = new Uint8Array(size);
    write(new DataView(part.buffer));
    bytes(part);
  };
  const u64 = (value: number) => view(8, (at) => at.setBigUint64(0, BigInt(value), true));
  return {
    bytes,
    u64,
    u16: (value: number) => view(2, (at) => at.setUint16(0, value, true)),
    u32: (value: number) => view(4, (at) => at.setUint32(0, value, true)),
    f32: (value: number) => view(4, (at) => at.setFloat32(0, value, true)),
    text(value: string) {
      const encoded = new TextEncoder().encode(value);
      u64(encoded.length);
      bytes(encoded);
    },
    align: (step: number) => bytes(new Uint8Array((step - (length % step)) % step)),
    done: () => new Uint8Array(Buffer.concat(parts)),
  };
}
