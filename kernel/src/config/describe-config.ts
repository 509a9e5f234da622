import { z } from 'zod';

/** One line of a configuration reference. */
export interface ConfigRow {
  readonly name: string;
  readonly type: string;
  /** What is used when the variable is left out; `undefined` means that it must be set or may stay unset. */
  readonly default: string | undefined;
  readonly required: boolean;
  readonly description: string;
}

/** The rows of a configuration's documentation, in the order of the shape; texts come from `.describe()`. */
export function describeConfig(shape: z.ZodRawShape): readonly ConfigRow[] {
  const { properties = {}, required = [] } = z.toJSONSchema(z.object(shape), {
    io: 'input',
    unrepresentable: 'any',
  });
  return Object.keys(shape).map((name) => {
    const property = properties[name];
    const schema = typeof property === 'object' ? property : {};
    return {
      name,
      type: typeOf(schema),
      default: textOf(schema.default),
      required: required.includes(name),
      description: schema.description ?? '',
    };
  });
}

function textOf(value: unknown): string | undefined {
  return value === undefined || typeof value === 'string' ? value : JSON.stringify(value);
}

function typeOf(schema: { type?: unknown; enum?: unknown; format?: unknown }): string {
  if (Array.isArray(schema.enum)) return schema.enum.join(' | ');
  if (typeof schema.format === 'string') return schema.format;
  return typeof schema.type === 'string' ? schema.type : 'string';
}
