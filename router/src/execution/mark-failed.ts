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
  for (const [key, { below }] of selection.fields) {
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

export interface RequirementFailure {
  readonly supergraph: Supergraph;
  readonly subgraph: string;
  /** Failed fields that others of the fetch may require. */
  readonly failed: ReadonlyMap<string, Failure>;
}

/**
 * Fails what was computed from failed values. Returns false when one of them is required by no
 * field: then it is part of a key, and nothing can be known of the entity.
 */
export function markDependents(
  target: DataObject,
  selection: FetchSelection,
  { supergraph, subgraph, failed }: RequirementFailure,
): boolean {
  const typename = String(target['__typename']);
  const explained = new Set<string>();
  const visit = (type: string, within: FetchSelection) => {
    for (const [key, { name }] of within.fields) {
      const required = supergraph.requiredFields(subgraph, type, name);
      for (const [field, failure] of failed) {
        if (!required.has(field)) continue;
        explained.add(field);
        target[key] = new FieldError(failure);
      }
    }
    for (const narrowed of within.on) {
      if (mayBe(supergraph, typename, narrowed.type)) visit(narrowed.type, narrowed.selection);
    }
  };
  visit(typename, selection);
  return explained.size === failed.size;
}

/** The subgraph's own interfaces may differ from the supergraph's, so both directions count. */
function mayBe(supergraph: Supergraph, typename: string, condition: string): boolean {
  return supergraph.satisfies(typename, condition) || supergraph.satisfies(condition, typename);
}
