import { z } from 'zod';
import { readMetadata } from '../../onnx/index.ts';

/** What the metadata of a model in layout `decoder/1` says about it. Counts are tokens where nothing else is said. */
export interface DecoderLayout {
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly context: number;
  readonly vocab: number;
  /** Tokens that end an answer. */
  readonly eos: readonly number[];
}

const count = z.coerce.number().int().positive();
const properties = z.object({
  'opea.layout': z.literal('decoder/1'),
  'opea.layers': count,
  'opea.heads': count,
  'opea.kv_heads': count,
  'opea.head_dim': count,
  'opea.context': count,
  'opea.vocab': count,
  'opea.eos': z.string().transform((list) => list.split(',').map(Number)),
});

/** Throws a sentence that names the property when the model is not in layout `decoder/1`. */
export function readDecoderLayout(model: Uint8Array): DecoderLayout {
  const parsed = properties.safeParse(Object.fromEntries(readMetadata(model)));
  if (!parsed.success)
    throw new Error(`The model is not in layout decoder/1: ${z.prettifyError(parsed.error)}`);
  const found = parsed.data;
  return {
    layers: found['opea.layers'],
    heads: found['opea.heads'],
    kvHeads: found['opea.kv_heads'],
    headDim: found['opea.head_dim'],
    context: found['opea.context'],
    vocab: found['opea.vocab'],
    eos: found['opea.eos'],
  };
}
