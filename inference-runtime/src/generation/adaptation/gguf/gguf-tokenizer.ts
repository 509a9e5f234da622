import type { GgufFile } from './read-gguf.ts';

const controlToken = 3;
const userToken = 4;

/** The `tokenizer.json` of a GGUF file whose tokenizer is byte-level BPE. Throws when it is of another kind. */
export function ggufTokenizer({ metadata }: GgufFile): string {
  const model = metadata.get('tokenizer.ggml.model');
  if (model !== 'gpt2')
    throw new Error(`The tokenizer is ${String(model)}; only byte-level BPE is supported`);
  const tokens = texts(metadata.get('tokenizer.ggml.tokens'));
  const merges = texts(metadata.get('tokenizer.ggml.merges'));
  const types = metadata.get('tokenizer.ggml.token_type');
  const typeOf = (id: number) => (Array.isArray(types) ? types[id] : undefined);
  const added = tokens.flatMap((content, id) => {
    const type = typeOf(id);
    if (type !== controlToken && type !== userToken) return [];
    const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false };
    return [{ id, content, ...plain, special: type === controlToken }];
  });
  return JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        ...(singleDigits.has(metadata.get('tokenizer.ggml.pre'))
          ? [{ type: 'Digits', individual_digits: true }]
          : []),
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
      ],
    },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: merges.map((merge) => merge.split(' ')),
    },
  });
}

/** Pre-tokenizers that take each digit alone. */
const singleDigits: ReadonlySet<unknown> = new Set(['smollm', 'starcoder', 'refact', 'command-r']);

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
