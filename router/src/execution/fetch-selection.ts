import {
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  parse,
  type SelectionSetNode,
} from 'graphql';

import type { FetchNode } from '../planning/plan.ts';

/** The keys a fetch would have answered with; read only when it did not. */
export interface FetchSelection {
  /** By their keys in the joined data. */
  readonly fields: ReadonlyMap<string, FetchedField>;
  readonly on: readonly { readonly type: string; readonly selection: FetchSelection }[];
}

export interface FetchedField {
  readonly name: string;
  /** Undefined for leaves. */
  readonly below: FetchSelection | undefined;
}

const read = new WeakMap<FetchNode, ReadonlyMap<string, FetchSelection>>();

/** Selection per lookup alias; root fields under `''`. */
export function selectionsOf(fetch: FetchNode): ReadonlyMap<string, FetchSelection> {
  const known = read.get(fetch);
  if (known) return known;
  const found = new Map<string, FetchSelection>();
  read.set(fetch, found);
  const fragments = new Map<string, FragmentDefinitionNode>();
  let operation: OperationDefinitionNode | undefined;
  for (const definition of parse(fetch.operation, { noLocation: true }).definitions) {
    if (definition.kind === Kind.OPERATION_DEFINITION) operation = definition;
    if (definition.kind === Kind.FRAGMENT_DEFINITION) {
      fragments.set(definition.name.value, definition);
    }
  }
  if (!operation) return found;
  if (fetch.lookups.length === 0) {
    found.set(
      '',
      toSelection(operation.selectionSet, { fragments, renamed: renames(fetch.outputRewrites) }),
    );
    return found;
  }
  for (const field of operation.selectionSet.selections) {
    if (field.kind !== Kind.FIELD || !field.selectionSet) continue;
    const alias = field.alias?.value ?? field.name.value;
    const lookup = fetch.lookups.find((candidate) => candidate.alias === alias);
    const renamed = renames(lookup?.outputRewrites ?? []);
    found.set(alias, toSelection(field.selectionSet, { fragments, renamed }));
  }
  return found;
}

interface Reading {
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly renamed: ReadonlyMap<string, string>;
}

function toSelection(set: SelectionSetNode, reading: Reading): FetchSelection {
  const fields = new Map<string, FetchedField>();
  const on: { type: string; selection: FetchSelection }[] = [];
  for (const selection of set.selections) {
    if (selection.kind === Kind.FIELD) {
      const key = selection.alias?.value ?? selection.name.value;
      if (key === '__typename') continue;
      const below = selection.selectionSet && toSelection(selection.selectionSet, reading);
      fields.set(reading.renamed.get(key) ?? key, { name: selection.name.value, below });
      continue;
    }
    const fragment =
      selection.kind === Kind.FRAGMENT_SPREAD
        ? reading.fragments.get(selection.name.value)
        : selection;
    if (!fragment) continue;
    const inner = toSelection(fragment.selectionSet, reading);
    const type = fragment.typeCondition?.name.value;
    if (type === undefined) {
      for (const [key, field] of inner.fields) fields.set(key, field);
      on.push(...inner.on);
    } else on.push({ type, selection: inner });
  }
  return { fields, on };
}

function renames(rewrites: FetchNode['outputRewrites']): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { path, change } of rewrites) {
    const last = path.at(-1);
    if (last && 'key' in last && 'renameTo' in change) found.set(last.key, change.renameTo);
  }
  return found;
}
