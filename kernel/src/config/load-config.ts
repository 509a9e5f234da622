import { z } from 'zod';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Parses the environment once, or stops with every mistake listed. A blank value counts as left out. */
export function loadConfig<Shape extends z.ZodRawShape>(
  shape: Shape,
  env: Environment,
): Readonly<z.output<z.ZodObject<Shape>>> {
  const result = z.object(shape).safeParse(blanksAsMissing(env));
  if (!result.success) throw new Error(`Invalid configuration\n${z.prettifyError(result.error)}`);
  return Object.freeze(result.data);
}

function blanksAsMissing(env: Environment) {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
}
