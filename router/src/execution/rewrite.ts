import type { Supergraph } from '../canonical/supergraph.ts';
import type { Rewrite } from '../planning/plan.ts';
import type { DataObject } from './joined-data.ts';

/** Applies a planner's rewrites in place, wherever their paths lead. */
export function rewrite(
  supergraph: Supergraph,
  root: DataObject,
  rewrites: readonly Rewrite[],
): void {
  for (const one of rewrites) apply(supergraph, root, one, 0);
}

function apply(supergraph: Supergraph, value: unknown, one: Rewrite, from: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const element of value) apply(supergraph, element, one, from);
    return;
  }
  const object = value as DataObject;
  const step = one.path[from];
  if (step === undefined) return;
  if ('types' in step) {
    const typename = object['__typename'];
    const fits =
      typeof typename !== 'string' ||
      step.types.some((type) => supergraph.satisfies(typename, type));
    if (fits) apply(supergraph, object, one, from + 1);
    return;
  }
  if (from < one.path.length - 1) {
    apply(supergraph, object[step.key], one, from + 1);
    return;
  }
  const { change } = one;
  if ('setTo' in change) object[step.key] = change.setTo;
  else if (Object.hasOwn(object, step.key)) {
    object[change.renameTo] = object[step.key];
    delete object[step.key];
  }
}
