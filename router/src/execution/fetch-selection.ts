import { Kind, parse, type SelectionSetNode } from 'graphql';

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
  const operation = parse(fetch.operation, { noLocation: true }).definitions.find(
    (definition) => definition.kind === Kind.OPERATION_DEFINITION,
  );
  if (!operation) return found;
  if (fetch.lookups.length === 0) {
    found.set('', toSelection(operation.selectionSet, renames(fetch.outputRewrites)));
    return found;
  }
  for (const field of operation.selectionSet.selections) {
    if (field.kind !== Kind.FIELD || !field.selectionSet) continue;
    const alias = field.alias?.value ?? field.name.value;
    const lookup = fetch.lookups.find((candidate) => candidate.alias === alias);
    found.set(alias, toSelection(field.selectionSet, renames(lookup?.outputRewrites ?? [])));
  }
  return found;
}

function toSelection(set: SelectionSetNode, renamed: ReadonlyMap<string, string>): FetchSelection {
  const fields = new Map<string, FetchedField>();
  const on: { type: string; selection: FetchSelection }[] = [];
  for (const selection of set.selections) {
    if (selection.kind === Kind.FIELD) {
      const key = selection.alias?.value ?? selection.name.value;
      if (key === '__typename') continue;
      const below = selection.selectionSet && toSelection(selection.selectionSet, renamed);
      fields.set(renamed.get(key) ?? key, { name: selection.name.value, below });
    } else if (selection.kind === Kind.INLINE_FRAGMENT) {
      const inner = toSelection(selection.selectionSet, renamed);
      const type = selection.typeCondition?.name.value;
      if (type === undefined) {
        for (const [key, field] of inner.fields) fields.set(key, field);
        on.push(...inner.on);
      } else on.push({ type, selection: inner });
    }
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
