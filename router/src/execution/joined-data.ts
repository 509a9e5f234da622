import type { Supergraph } from '../canonical/supergraph.ts';
import type { PathStep } from '../planning/plan.ts';
import { FieldError } from './failure.ts';

/** One object of the joined data. Keys are canonical; values may be `FieldError`. */
export type DataObject = Record<string, unknown>;

export function isDataObject(value: unknown): value is DataObject {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof FieldError)
  );
}

/**
 * Adds what another fetch knows about the same object. Values that are already there win over
 * nulls and errors; lists join element by element. Parts may be shared between objects that stand
 * for one entity: canonical keys make every addition true for all of them.
 */
export function merge(supergraph: Supergraph, target: DataObject, source: DataObject): void {
  if (target === source) return;
  for (const key in source) {
    const next = source[key];
    const known = target[key];
    if (known === undefined) {
      if (key !== '__proto__') target[key] = next;
    } else if (next === undefined || next === null || next === known) {
      // nothing new
    } else if (key === '__typename') {
      // A subgraph that knows only the interface must not hide the type another one told.
      if (typeof next === 'string' && !supergraph.isAbstract(next)) target[key] = next;
    } else if (known === null || known instanceof FieldError) {
      if (!(next instanceof FieldError)) target[key] = next;
      else if (known === null) target[key] = next;
    } else if (next instanceof FieldError) {
      // the value is known from elsewhere
    } else if (Array.isArray(known)) {
      if (Array.isArray(next)) mergeLists(supergraph, known, next);
    } else if (typeof known === 'object' && typeof next === 'object' && !Array.isArray(next)) {
      merge(supergraph, known as DataObject, next as DataObject);
    }
  }
}

function mergeLists(supergraph: Supergraph, target: unknown[], source: readonly unknown[]): void {
  for (let index = 0; index < source.length; index++) {
    const known = target[index];
    const next = source[index];
    if (known === undefined || known === null) target[index] = next;
    else if (Array.isArray(known)) {
      if (Array.isArray(next)) mergeLists(supergraph, known, next);
    } else if (isDataObject(known) && isDataObject(next)) merge(supergraph, known, next);
  }
}

/** Calls `found` for every object at the end of the path. */
export function eachObjectAt(
  supergraph: Supergraph,
  value: unknown,
  path: readonly PathStep[],
  found: (object: DataObject) => void,
  from = 0,
): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    const step = path[from];
    const next = step && 'each' in step ? from + 1 : from;
    for (const element of value) eachObjectAt(supergraph, element, path, found, next);
    return;
  }
  const object = value as DataObject;
  const step = path[from];
  if (step === undefined) {
    if (!(object instanceof FieldError)) found(object);
  } else if ('key' in step) {
    eachObjectAt(supergraph, object[step.key], path, found, from + 1);
  } else if ('types' in step) {
    const typename = object['__typename'];
    const fits =
      typeof typename !== 'string' ||
      step.types.some((type) => supergraph.satisfies(typename, type));
    if (fits) eachObjectAt(supergraph, object, path, found, from + 1);
  } else {
    // A list was promised and one object stands there: nothing to descend into.
  }
}
