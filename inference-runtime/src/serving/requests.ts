import { badUserInput } from '@opea/kernel/errors';
import type { GenerateOptions, ModelRef, RequestOptions } from '@opea/schema/runtime';
import { z } from 'zod';

const refSchema = z.object({
  tenant: z.string().min(1),
  model: z.string().min(1),
  alias: z.string().optional(),
  version: z.int().optional(),
});

const optionsSchema = z.object({
  requestId: z.string(),
  tenant: z.string().min(1),
  priority: z.number().optional(),
  deadlineMs: z.number().positive().optional(),
});

/** Values are the generator's to judge; here they only have their types. */
const generationSchema = z.looseObject({ prompt: z.string() });

type AskedOptions = Omit<RequestOptions, 'signal'>;

export function parseRef(body: unknown): ModelRef {
  return defined(parse(refSchema, body));
}

export function parsePredictHead(head: unknown): { ref: ModelRef; options: AskedOptions } {
  const { ref, options } = parse(z.object({ ref: refSchema, options: optionsSchema }), head);
  return { ref: defined(ref), options: defined(options) };
}

export function parseGenerateRequest(body: unknown): {
  ref: ModelRef;
  generation: GenerateOptions;
  options: AskedOptions;
} {
  const request = z.object({
    ref: refSchema,
    generation: generationSchema,
    options: optionsSchema,
  });
  const { ref, generation, options } = parse(request, body);
  return { ref: defined(ref), generation, options: defined(options) };
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (!result.success) throw badUserInput({ reason: z.prettifyError(result.error) });
  return result.data;
}

type Defined<T> = { [Key in keyof T]: Exclude<T[Key], undefined> };

/** Without the keys that are there but undefined. */
function defined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(
    Object.entries(value).filter(([, item]) => item !== undefined),
  ) as Defined<T>;
}
