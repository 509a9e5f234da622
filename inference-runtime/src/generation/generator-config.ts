import { bytes, millis } from '@opea/kernel/config';
import { z } from 'zod';

const count = (fallback: number) => z.coerce.number().int().positive().default(fallback);

/** How a decoder is run; each value may be set in the environment. */
export const generatorShape = {
  slots: count(16).describe('Sequences that generate at a time'),
  maxContext: count(4_096).describe("Most tokens of a sequence; the model's context when less"),
  prefillChunk: z.coerce
    .number()
    .int()
    .min(8)
    .refine((value) => Number.isInteger(Math.log2(value)), 'Expected a power of two')
    .default(32)
    .describe('Prompt tokens of one run, and the block that prompts share'),
  prefillTokensPerStep: count(32).describe('Prompt tokens that a step adds beside decoding'),
  prefixCacheBytes: bytes(32 * 1024 ** 2).describe('Memory for shared prompt beginnings'),
  maxQueued: count(256).describe('Requests that may wait for a slot'),
  maxQueuedPerTenant: count(128).describe('Requests of one tenant that may wait for a slot'),
  mailboxEvents: count(64).describe('Events a slow reader may leave before generation pauses'),
  stallMs: millis(30_000).describe('A reader that takes nothing for so long loses its slot'),
};

export type GeneratorConfig = z.infer<z.ZodObject<typeof generatorShape>>;

export const defaultGeneratorConfig: GeneratorConfig = z.object(generatorShape).parse({});
