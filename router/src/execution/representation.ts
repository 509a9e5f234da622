import type { Supergraph } from '../canonical/supergraph.ts';
import type { RequiredSelection } from '../planning/plan.ts';
import { type Failure, FieldError } from './failure.ts';
import type { DataObject } from './joined-data.ts';

/** A representation, or why there is none: an error in a part of it, or a part never came. */
export type Represented =
  | { readonly value: DataObject }
  | { readonly failure: Failure }
  | { readonly missing: true };

/** What a subgraph needs to find the entity again (Federation specification, `_Any`). */
export function represent(
  supergraph: Supergraph,
  object: DataObject,
  requires: readonly RequiredSelection[],
): Represented {
  const value: DataObject = {};
  const problem = project(supergraph, object, requires, value);
  if (problem) return problem;
  return Object.keys(value).length === 0 ? missing : { value };
}

const missing = { missing: true } as const;

type Problem = { readonly failure: Failure } | { readonly missing: true };

function project(
  supergraph: Supergraph,
  object: DataObject,
  requires: readonly RequiredSelection[],
  into: DataObject,
): Problem | undefined {
  for (const selection of requires) {
    if (selection.kind === 'fragment') {
      const typename = object['__typename'];
      if (
        selection.type !== undefined &&
        typeof typename === 'string' &&
        !supergraph.satisfies(typename, selection.type)
      ) {
        continue;
      }
      const problem = project(supergraph, object, selection.selections, into);
      if (problem) return problem;
      continue;
    }
    const value = object[selection.source];
    if (value instanceof FieldError) return { failure: value.failure };
    if (value === undefined) {
      if (selection.source === '__typename') continue;
      return missing;
    }
    if (selection.selections.length === 0) {
      into[selection.target] = value;
      continue;
    }
    const projected = projectValue(supergraph, value, selection.selections);
    if ('problem' in projected) return projected.problem;
    into[selection.target] = projected.value;
  }
  return undefined;
}

function projectValue(
  supergraph: Supergraph,
  value: unknown,
  selections: readonly RequiredSelection[],
): { readonly value: unknown } | { readonly problem: Problem } {
  if (value instanceof FieldError) return { problem: { failure: value.failure } };
  if (value === undefined) return { problem: missing };
  if (typeof value !== 'object' || value === null) return { value };
  if (Array.isArray(value)) {
    const list: unknown[] = [];
    for (const element of value) {
      const projected = projectValue(supergraph, element, selections);
      if ('problem' in projected) return projected;
      list.push(projected.value);
    }
    return { value: list };
  }
  const into: DataObject = {};
  const problem = project(supergraph, value as DataObject, selections, into);
  return problem ? { problem } : { value: into };
}
