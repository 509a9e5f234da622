import type { Supergraph } from '../canonical/supergraph.ts';
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
    } else if (isDataObject(known) && isDataObject(next)) merge(supergraph, known, next);
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
