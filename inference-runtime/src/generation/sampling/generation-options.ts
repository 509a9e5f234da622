import type { GenerateOptions } from '@opea/schema/runtime';
import { z } from 'zod';
import { invalidInput } from '../../errors.ts';
import type { SamplingParameters } from './sampling-parameters.ts';

/** The runtime protocol's options, and what only callers inside the runtime can ask for. */
export interface GenerationOptions extends GenerateOptions {
  /** Added to the scores of single tokens, −100 to 100, by token id. */
  readonly logitBias?: Readonly<Record<number, number>>;
  /** A JSON Schema (draft 2020-12, the part that `json-schema-grammar.ts` names) that the answer must follow. */
  readonly jsonSchema?: unknown;
}

/** What a model's `generation.json` says; the names of Hugging Face's `generation_config.json` are understood too. */
export interface GenerationDefaults {
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly repetitionPenalty: number;
}

export interface ParsedGeneration {
  readonly parameters: SamplingParameters;
  readonly maxTokens: number;
  readonly stop: readonly string[];
  readonly jsonSchema: unknown;
}

const defaultsFile = z
  .looseObject({
    max_new_tokens: z.int().positive(),
    temperature: z.number().nonnegative(),
    top_k: z.int().nonnegative(),
    top_p: z.number().positive().max(1),
    min_p: z.number().nonnegative().max(1),
    repetition_penalty: z.number().positive(),
    do_sample: z.boolean(),
  })
  .partial();

/** Reads a `generation.json`. Throws when a value is out of range. */
export function parseGenerationDefaults(json: string): GenerationDefaults {
  const raw = z.record(z.string(), z.unknown()).parse(JSON.parse(json));
  const file = defaultsFile.parse(
    Object.fromEntries(Object.entries(raw).map(([key, value]) => [snakeCase(key), value])),
  );
  return {
    ...plainDefaults,
    ...(file.max_new_tokens !== undefined && { maxTokens: file.max_new_tokens }),
    ...(file.temperature !== undefined && { temperature: file.temperature }),
    ...(file.do_sample === false && { temperature: 0 }),
    ...(file.top_k !== undefined && { topK: file.top_k }),
    ...(file.top_p !== undefined && { topP: file.top_p }),
    ...(file.min_p !== undefined && { minP: file.min_p }),
    ...(file.repetition_penalty !== undefined && { repetitionPenalty: file.repetition_penalty }),
  };
}

export const plainDefaults: GenerationDefaults = {
  maxTokens: 256,
  temperature: 1,
  topK: 0,
  topP: 1,
  minP: 0,
  repetitionPenalty: 1,
};

const between = (low: number, high: number) => z.number().min(low).max(high);
const optionsShape = z.object({
  prompt: z.string(),
  maxTokens: z.int().min(1).optional(),
  temperature: between(0, 10).optional(),
  topK: z.int().min(0).optional(),
  topP: z.number().gt(0).max(1).optional(),
  minP: between(0, 1).optional(),
  repetitionPenalty: z.number().gt(0).max(10).optional(),
  seed: z.int().optional(),
  stop: z.array(z.string().min(1).max(256)).max(16).optional(),
  logitBias: z
    .record(z.string().regex(/^\d+$/, 'Expected token ids'), between(-100, 100))
    .optional(),
  jsonSchema: z.unknown().optional(),
});

export interface ParseGenerationOptions {
  readonly defaults: GenerationDefaults;
  readonly vocab: number;
  /** Seed of a request that brings none. */
  readonly randomSeed: () => number;
}

/** Checks a request and fills in what it leaves out. Refuses with INVALID_INPUT that names the field. */
export function parseGenerationOptions(
  options: GenerationOptions,
  { defaults, vocab, randomSeed }: ParseGenerationOptions,
): ParsedGeneration {
  const parsed = optionsShape.safeParse(withoutNulls(options));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalidInput({
      field: issue?.path.join('.') ?? 'options',
      problem: issue?.message ?? 'is not valid',
    });
  }
  const given = parsed.data;
  const logitBias = new Map(
    Object.entries(given.logitBias ?? {}).map(([id, bias]) => [Number(id), bias]),
  );
  for (const id of logitBias.keys())
    if (id >= vocab) throw invalidInput({ field: 'logitBias', problem: `there is no token ${id}` });

  return {
    maxTokens: given.maxTokens ?? defaults.maxTokens,
    stop: given.stop ?? [],
    jsonSchema: given.jsonSchema,
    parameters: {
      temperature: given.temperature ?? defaults.temperature,
      topK: given.topK ?? defaults.topK,
      topP: given.topP ?? defaults.topP,
      minP: given.minP ?? defaults.minP,
      repetitionPenalty: given.repetitionPenalty ?? defaults.repetitionPenalty,
      logitBias,
      seed: (given.seed ?? randomSeed()) | 0,
    },
  };
}

/** GraphQL hands over `null` for what a caller left out on purpose. */
function withoutNulls(options: GenerationOptions): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null));
}

function snakeCase(name: string): string {
  const snake = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return snake === 'max_tokens' ? 'max_new_tokens' : snake;
}
