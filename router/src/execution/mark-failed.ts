import type { Supergraph } from '../canonical/supergraph.ts';
import { type Failure, FieldError } from './failure.ts';
import type { FetchSelection } from './fetch-selection.ts';
import type { DataObject } from './joined-data.ts';

/** Puts the failure wherever the fetch would have put a value and no other fetch did. */
export function markFailed(
  supergraph: Supergraph,
  target: unknown,
  selection: FetchSelection,
  failure: Failure,
): void {
  if (Array.isArray(target)) {
    for (const element of target) markFailed(supergraph, element, selection, failure);
    return;
  }
  if (typeof target !== 'object' || target === null || target instanceof FieldError) return;
  const object = target as DataObject;
  for (const [key, below] of selection.fields) {
    const known = object[key];
    if (known === undefined) object[key] = new FieldError(failure);
    else if (below) markFailed(supergraph, known, below, failure);
  }
  const typename = object['__typename'];
  for (const { type, selection: narrowed } of selection.on) {
    if (typeof typename === 'string' && !mayBe(supergraph, typename, type)) continue;
    markFailed(supergraph, object, narrowed, failure);
  }
}

/** The subgraph's own interfaces may differ from the supergraph's, so both directions count. */
function mayBe(supergraph: Supergraph, typename: string, condition: string): boolean {
  return supergraph.satisfies(typename, condition) || supergraph.satisfies(condition, typename);
}
