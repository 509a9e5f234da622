import { Tokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { byteOfCharacter } from './byte-alphabet.ts';

/** Turns text into token ids and single tokens back into bytes. */
export interface TextCodec {
  encode(text: string): number[];
  /** The UTF-8 bytes of one token, possibly half a character; empty for special tokens. */
  bytesOf(tokenId: number): Uint8Array;
}

const tokenizerJson = z.looseObject({
  model: z.looseObject({ vocab: z.record(z.string(), z.number()) }),
  decoder: z.unknown().optional(),
  added_tokens: z
    .array(z.looseObject({ id: z.number(), content: z.string(), special: z.boolean().optional() }))
    .optional(),
});

/**
 * Reads a `tokenizer.json` (Hugging Face's format): byte-level BPE, and SentencePiece-style BPE with byte fallback.
 * Throws when the file has another shape.
 */
export function loadTextCodec(json: string): TextCodec {
  const parsed = tokenizerJson.parse(JSON.parse(json));
  const tokenizer = new Tokenizer(parsed, {});
  const toBytes = JSON.stringify(parsed.decoder ?? '').includes('ByteLevel')
    ? byteLevelBytes
    : pieceBytes;
  const bytes: Uint8Array[] = [];
  for (const [token, id] of Object.entries(parsed.model.vocab)) bytes[id] = toBytes(token);
  const encoder = new TextEncoder();
  for (const { id, content, special } of parsed.added_tokens ?? [])
    bytes[id] = special === true ? none : encoder.encode(content);

  return {
    encode: (text) => tokenizer.encode(text).ids,
    bytesOf: (tokenId) => bytes[tokenId] ?? none,
  };
}

const none = new Uint8Array();

function byteLevelBytes(token: string): Uint8Array {
  return Uint8Array.from(Array.from(token), (character) => byteOfCharacter.get(character) ?? 0x3f);
}

function pieceBytes(token: string): Uint8Array {
  const byte = /^<0x([0-9A-F]{2})>$/.exec(token)?.[1];
  if (byte !== undefined) return Uint8Array.of(Number.parseInt(byte, 16));
  return new TextEncoder().encode(token.replaceAll('▁', ' '));
}
