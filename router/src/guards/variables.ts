import type { GuardName } from '../errors.ts';
import type { Limits } from './limits.ts';

/**
 * Guards the variables of a request. `bodyBytes` is the length of the body they came in: a body
 * within the bound needs no second count.
 */
export function violationsOfVariables(
  variables: Readonly<Record<string, unknown>>,
  limits: Limits,
  bodyBytes: number,
): readonly GuardName[] {
  const shape = inspect(variables, limits.variablesDepth);
  if (shape.tooDeep) return ['VARIABLES_DEPTH']; // JSON.stringify recurses: never reach it.
  const violated: GuardName[] = shape.reserved ? ['RESERVED_NAME'] : [];
  if (bodyBytes > limits.variablesBytes && jsonBytes(variables) > limits.variablesBytes)
    violated.push('VARIABLES_SIZE');
  return violated;
}

const jsonBytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

/** Walks without recursion, one level at a time, and stops at the first level too deep. */
function inspect(root: object, maxDepth: number): { tooDeep: boolean; reserved: boolean } {
  let level: readonly object[] = [root];
  let reserved = false;
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxDepth) return { tooDeep: true, reserved };
    const next: object[] = [];
    for (const node of level) {
      if (Object.hasOwn(node, '__proto__')) reserved = true;
      for (const value of Array.isArray(node) ? node : Object.values(node))
        if (typeof value === 'object' && value !== null) next.push(value);
    }
    level = next;
  }
  return { tooDeep: false, reserved };
}
