import type { Supergraph } from '../canonical/supergraph.ts';
import type { RequiredSelection } from '../planning/plan.ts';
import { type Failure, FieldError } from './failure.ts';
import type { DataObject } from './joined-data.ts';

/** A representation; undefined when a part of it never came. */
export interface Represented {
  readonly value: DataObject;
  /** Fields that failed and are told as null. */
  readonly failed: ReadonlyMap<string, Failure> | undefined;
}

/** What a subgraph needs to find the entity again (Federation specification, `_Any`). */
export function represent(
  supergraph: Supergraph,
  object: DataObject,
  requires: readonly RequiredSelection[],
): Represented | undefined {
  const value: DataObject = {};
  const failed = new Map<string, Failure>();
  const problem = project({ supergraph, failed }, object, requires, value);
  if (problem || Object.keys(value).length === 0) return undefined;
  return { value, failed: failed.size > 0 ? failed : undefined };
}

type Problem = { readonly failure: Failure } | { readonly missing: true };

const missing = { missing: true } as const;

interface Projection {
  readonly supergraph: Supergraph;
  /** Where failures are noted; undefined below the top, where they are the caller's problem. */
  readonly failed: Map<string, Failure> | undefined;
}

function project(
  projection: Projection,
  object: DataObject,
  requires: readonly RequiredSelection[],
  into: DataObject,
): Problem | undefined {
  const { supergraph, failed } = projection;
  for (const selection of requires) {
    if (selection.kind === 'fragment') {
      const typename = object['__typename'];
      const applies =
        selection.type === undefined ||
        typeof typename !== 'string' ||
        supergraph.satisfies(typename, selection.type);
      const problem = applies && project(projection, object, selection.selections, into);
      if (problem) return problem;
      continue;
    }
    const value = object[selection.source];
    if (value === undefined && selection.source === '__typename') continue;
    const projected = projectValue(supergraph, value, selection.selections);
    if ('value' in projected) into[selection.target] = projected.value;
    else if (failed && 'failure' in projected.problem) {
      failed.set(selection.target, projected.problem.failure);
      into[selection.target] = null;
    } else return projected.problem;
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
  if (selections.length === 0 || typeof value !== 'object' || value === null) return { value };
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
  const projection = { supergraph, failed: undefined };
  const problem = project(projection, value as DataObject, selections, into);
  return problem ? { problem } : { value: into };
}
