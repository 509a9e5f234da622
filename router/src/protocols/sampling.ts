import { z } from 'zod';
import { maybe } from './read-request.ts';

/** How a text is continued, under the names that both protocols' clients use. */
export const samplingShape = {
  temperature: maybe(z.number().min(0).max(5)),
  top_p: maybe(z.number().gt(0).max(1)),
  top_k: maybe(z.int().min(0).max(1_000_000)),
  min_p: maybe(z.number().min(0).max(1)),
  repetition_penalty: maybe(z.number().min(0.5).max(2)),
  seed: maybe(z.int()),
  stop: maybe(z.union([z.string(), z.array(z.string()).max(4)])),
};

export type Sampling = z.output<z.ZodObject<typeof samplingShape>>;

/** The same as fields of `GenerateInput`. */
export function samplingInput(sampling: Sampling, maxTokens: number | undefined) {
  const { seed, stop } = sampling;
  return {
    maxTokens,
    temperature: sampling.temperature,
    topP: sampling.top_p,
    topK: sampling.top_k,
    minP: sampling.min_p,
    repetitionPenalty: sampling.repetition_penalty,
    // The graph's seeds are 31 bits wide; equal seeds stay equal.
    seed: seed === undefined ? undefined : Number(BigInt.asUintN(31, BigInt(seed))),
    stop: typeof stop === 'string' ? [stop] : (stop ?? []),
  };
}
