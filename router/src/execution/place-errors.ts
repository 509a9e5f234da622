import type { GraphFailure } from '@opea/kernel/subgraph';

import { type Failure, FieldError } from './failure.ts';

/**
 * Puts each error of a subgraph where its path ends in a null. Returns the ones that have no such
 * place: without a path, or with a path to a value that is there.
 */
export function placeErrors(
  data: Record<string, unknown>,
  errors: readonly GraphFailure[],
  failureOf: (error: GraphFailure) => Failure,
): readonly Failure[] {
  const homeless: Failure[] = [];
  for (const error of errors) {
    const failure = failureOf(error);
    if (!place(data, error.path, failure)) homeless.push(failure);
  }
  return homeless;
}

function place(data: unknown, path: readonly unknown[] | undefined, failure: Failure): boolean {
  if (!Array.isArray(path) || path.length === 0 || path.length > 200) return false;
  const steps = path.filter(isStep);
  if (steps.length !== path.length) return false;
  let parent = data;
  for (let index = 0; index < steps.length; index++) {
    const step = steps[index];
    if (step === undefined || typeof parent !== 'object' || parent === null) return false;
    if (parent instanceof FieldError) return true;
    if (Array.isArray(parent) !== (typeof step === 'number')) return false;
    const holder = parent as Record<string | number, unknown>;
    const value = Object.hasOwn(holder, step) ? holder[step] : undefined;
    if (value === null || value === undefined) {
      if (Array.isArray(parent) && Number(step) >= parent.length) return false;
      holder[step] = new FieldError(failure, steps.slice(index + 1));
      return true;
    }
    parent = value;
  }
  return parent instanceof FieldError;
}

function isStep(step: unknown): step is string | number {
  return (
    (typeof step === 'string' && step !== '__proto__') ||
    (typeof step === 'number' && Number.isSafeInteger(step) && step >= 0)
  );
}
