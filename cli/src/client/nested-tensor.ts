import { CommandFailed, exitCode } from '../exit.ts';

/** A tensor as `predict` takes it. */
export interface TensorArgument {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data: readonly unknown[];
}

/** Makes a tensor of nested JSON arrays: `[[1, 2], [3, 4]]` has the shape 2 × 2. Ragged ones are refused. */
export function tensorOf(name: string, datatype: string, nested: unknown): TensorArgument {
  const shape = shapeOf(nested);
  const data = flatten(nested);
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  if (data.length !== size || !isRegular(nested, shape))
    throw new CommandFailed(`The input ${name} is ragged: its rows differ in length.`, {
      exitCode: exitCode.usage,
    });
  return { name, datatype, shape, data };
}

function shapeOf(nested: unknown): number[] {
  return Array.isArray(nested) ? [nested.length, ...shapeOf(nested[0])] : [];
}

function flatten(nested: unknown): unknown[] {
  return Array.isArray(nested) ? nested.flatMap(flatten) : [nested];
}

function isRegular(nested: unknown, [length, ...rest]: readonly number[]): boolean {
  if (length === undefined) return !Array.isArray(nested);
  return (
    Array.isArray(nested) &&
    nested.length === length &&
    nested.every((part) => isRegular(part, rest))
  );
}
