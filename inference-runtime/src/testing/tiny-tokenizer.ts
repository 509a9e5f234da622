import { characterOfByte } from '../generation/text/byte-alphabet.ts';

export interface TinyTokenizer {
  /** A `tokenizer.json`: byte-level BPE. Id 0 is `<|end|>`, 1 to 256 are the bytes, then the merges. */
  readonly json: string;
  readonly vocab: number;
  readonly eos: number;
}

/** A small real tokenizer: all bytes, and merges of the commonest letter pairs of English. */
export function tinyTokenizer(): TinyTokenizer {
  const merges = ['Ġ t', 'h e', 'Ġt he', 'i n', 'a n', 'Ġ a', 'r e', 'o n', 'e r', 'Ġ s'];
  const tokens = ['<|end|>', ...characterOfByte, ...merges.map((merge) => merge.replace(' ', ''))];
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const json = JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [
      {
        id: 0,
        content: '<|end|>',
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      },
    ],
    normalizer: null,
    pre_tokenizer: {
      type: 'ByteLevel',
      add_prefix_space: false,
      trim_offsets: true,
      use_regex: true,
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
      vocab,
      merges: merges.map((merge) => merge.split(' ')),
    },
  });
  return { json, vocab: tokens.length, eos: 0 };
}
