import type { Supergraph } from '../canonical/supergraph.ts';
import type { EntityLookup, PathStep, RequiredSelection } from '../planning/plan.ts';
import { FieldError } from './failure.ts';
import type { DataObject } from './joined-data.ts';

/** A lookup read once, for the many objects it will be applied to. */
export interface LookupProgram {
  readonly paths: readonly (readonly Step[])[];
  /** How objects of that type are represented; undefined when it takes more than plain values. */
  plainFieldsOf(typename: string): readonly PlainField[] | undefined;
}

export interface Step {
  readonly kind: 'key' | 'types' | 'each';
  readonly key: string;
  readonly types: readonly string[];
}

export interface PlainField {
  readonly source: string;
  readonly target: string;
}

const programs = new WeakMap<EntityLookup, LookupProgram>();

export function programOf(supergraph: Supergraph, lookup: EntityLookup): LookupProgram {
  const known = programs.get(lookup);
  if (known) return known;
  const byType = new Map<string, readonly PlainField[] | undefined>();
  const program: LookupProgram = {
    paths: lookup.paths.map((path) => path.map(toStep)),
    plainFieldsOf(typename) {
      if (byType.has(typename)) return byType.get(typename);
      const fields = plainFields(supergraph, lookup.requires, typename);
      byType.set(typename, fields);
      return fields;
    },
  };
  programs.set(lookup, program);
  return program;
}

/**
 * A text that is equal for objects with equal representations. Undefined when the object needs the
 * long way: a value is missing, failed, or is an object itself.
 */
export function plainKey(
  typename: string,
  object: DataObject,
  fields: readonly PlainField[],
): string | undefined {
  let key = typename;
  for (const { source } of fields) {
    const value = object[source];
    if (typeof value === 'string') key += `\n${value.length} ${value}`;
    else if (typeof value === 'number' || typeof value === 'boolean') key += `\n${String(value)}`;
    else if (value === null) key += '\nnull';
    else return undefined;
  }
  return key;
}

export function plainRepresentation(
  typename: string,
  object: DataObject,
  fields: readonly PlainField[],
): DataObject {
  const representation: DataObject = { __typename: typename };
  for (const { source, target } of fields) representation[target] = object[source];
  return representation;
}

/** Calls `found` for every object at the end of the path. */
export function eachObjectAt(
  value: unknown,
  path: readonly Step[],
  visit: { readonly supergraph: Supergraph; readonly found: (object: DataObject) => void },
  from = 0,
): void {
  if (typeof value !== 'object' || value === null) return;
  const step = path[from];
  if (Array.isArray(value)) {
    const next = step !== undefined && step.kind === 'each' ? from + 1 : from;
    for (const element of value) eachObjectAt(element, path, visit, next);
    return;
  }
  if (!isObject(value)) return;
  if (step === undefined) visit.found(value);
  else if (step.kind === 'key') eachObjectAt(value[step.key], path, visit, from + 1);
  else if (step.kind === 'types') {
    const typename = value['__typename'];
    const { supergraph } = visit;
    const fits =
      typeof typename !== 'string' ||
      step.types.some((type) => supergraph.satisfies(typename, type));
    if (fits) eachObjectAt(value, path, visit, from + 1);
  }
}

function isObject(value: object): value is DataObject {
  return !(value instanceof FieldError);
}

function toStep(step: PathStep): Step {
  if ('key' in step) return { kind: 'key', key: step.key, types: [] };
  if ('types' in step) return { kind: 'types', key: '', types: step.types };
  return { kind: 'each', key: '', types: [] };
}

function plainFields(
  supergraph: Supergraph,
  requires: readonly RequiredSelection[],
  typename: string,
): readonly PlainField[] | undefined {
  const fields = new Map<string, PlainField>();
  for (const selection of requires) {
    if (selection.kind === 'field') {
      if (selection.selections.length > 0) return undefined;
      const { source, target } = selection;
      if (source === '__typename') continue;
      fields.set(target, { source, target });
    } else if (selection.type === undefined || supergraph.satisfies(typename, selection.type)) {
      const inner = plainFields(supergraph, selection.selections, typename);
      if (!inner) return undefined;
      for (const field of inner) fields.set(field.target, field);
    }
  }
  return [...fields.values()];
}
