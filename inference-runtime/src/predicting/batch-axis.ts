import type { TensorSpec } from '@opea/schema/runtime';
import type { Signature } from '../engines/engine.ts';

/** Whether requests may share an execution: every tensor's first dimension is free, and inputs agree on its name. */
export function isBatchable({ inputs, outputs }: Signature): boolean {
  const [first] = inputs;
  if (first === undefined || outputs.length === 0) return false;
  const axis = first.shape[0];
  return (
    inputs.every(({ shape }) => isFree(shape[0]) && shape[0] === axis) &&
    outputs.every(({ shape }) => isFree(shape[0]))
  );
}

/** A free dimension has a name, or -1 where the file gives none. */
export function isFree(size: TensorSpec['shape'][number] | undefined): boolean {
  return typeof size === 'string' || (typeof size === 'number' && size < 0);
}
