import {
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

interface Merged {
  count: number;
  readonly fields: Map<string, Merged>;
}

/**
 * Pairs of fields that answer under the same key. "Fields can merge" (GraphQL spec 5.3.2) compares
 * each pair, so this is what validation costs. Needs the selections bounded and no fragment cycle.
 */
export function countRepetitions(
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): number {
  const root: Merged = { count: 1, fields: new Map() };
  collect(operation.selectionSet, root, fragments);
  return pairs(root);
}

function collect(
  set: SelectionSetNode,
  into: Merged,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): void {
  for (const selection of set.selections) {
    if (selection.kind === Kind.INLINE_FRAGMENT) collect(selection.selectionSet, into, fragments);
    else if (selection.kind === Kind.FRAGMENT_SPREAD) {
      const fragment = fragments.get(selection.name.value);
      if (fragment !== undefined) collect(fragment.selectionSet, into, fragments);
    } else {
      const key = selection.alias?.value ?? selection.name.value;
      const merged = into.fields.get(key) ?? { count: 0, fields: new Map() };
      merged.count += 1;
      into.fields.set(key, merged);
      if (selection.selectionSet !== undefined) collect(selection.selectionSet, merged, fragments);
    }
  }
}

function pairs(merged: Merged): number {
  let total = (merged.count * (merged.count - 1)) / 2;
  for (const field of merged.fields.values()) total += pairs(field);
  return total;
}
