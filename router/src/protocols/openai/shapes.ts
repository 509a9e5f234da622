import { z } from 'zod';
import { maybe } from '../read-request.ts';
import { samplingShape } from '../sampling.ts';

/** Passes only values that change nothing: a client that asks for more is told, not served something else. */
const only = (name: string, isNeutral: (value: unknown) => boolean) =>
  z
    .unknown()
    .refine((value) => value === null || isNeutral(value), {
      message: `${name} is not supported here`,
    })
    .optional();

const isEmpty = (value: unknown) =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;

/** What completions and chat completions share. */
const shared = {
  ...samplingShape,
  model: z.string().min(1).max(200),
  stream: maybe(z.boolean()),
  stream_options: maybe(z.object({ include_usage: maybe(z.boolean()) })),
  n: only('n above 1', (value) => value === 1),
  best_of: only('best_of above 1', (value) => value === 1),
  frequency_penalty: only('frequency_penalty', (value) => value === 0),
  presence_penalty: only('presence_penalty', (value) => value === 0),
  logit_bias: only('logit_bias', isEmpty),
};

const maxTokens = maybe(z.int().min(1).max(1_000_000));

export const completionShape = z.object({
  ...shared,
  prompt: z.union([
    z.string(),
    z.array(z.string()).max(100),
    z.array(z.number()),
    z.array(z.array(z.number())),
  ]),
  max_tokens: maxTokens,
  /** Only the taken token's probability is known. */
  logprobs: maybe(z.int().min(0).max(1)),
  echo: only('echo', (value) => value === false),
  suffix: only('suffix', (value) => value === ''),
});

const content = z.union([
  z.string(),
  z
    .array(z.object({ type: z.literal('text'), text: z.string() }))
    .transform((parts) => parts.map(({ text }) => text).join('')),
]);

export const chatShape = z.object({
  ...shared,
  messages: z
    .array(z.object({ role: z.enum(['system', 'developer', 'user', 'assistant']), content }))
    .min(1)
    .max(1_000),
  max_tokens: maxTokens,
  max_completion_tokens: maxTokens,
  logprobs: maybe(z.boolean()),
  top_logprobs: only('top_logprobs', (value) => value === 0),
  tools: only('tools', isEmpty),
  functions: only('functions', isEmpty),
  response_format: only(
    'response_format',
    (value) =>
      typeof value === 'object' && value !== null && 'type' in value && value.type === 'text',
  ),
});

export type CompletionRequest = z.output<typeof completionShape>;
export type ChatRequest = z.output<typeof chatShape>;
