import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

/** The size of an operation with its fragments written out, found without writing them out. */
export interface OperationMeasures {
  readonly depth: number;
  readonly aliases: number;
  readonly rootFields: number;
  readonly directives: number;
  readonly selections: number;
  readonly introspects: boolean;
  readonly introspectionDepth: number;
  readonly introspectionLists: number;
  readonly asksFederation: boolean;
  readonly usesReservedName: boolean;
  /** Every root field is `__typename` or introspection: no subgraph is needed. */
  readonly metaOnly: boolean;
  readonly rootNames: ReadonlySet<string>;
  readonly hasFragmentCycle: boolean;
}

/**
 * Linear in the document: each fragment is measured once and its sums are reused, so a bomb of
 * fragments that doubles at every level costs as much as its text is long.
 */
export function measureOperation(
  document: DocumentNode,
  operation: OperationDefinitionNode,
): OperationMeasures {
  const walk = walker(document);
  const body = walk.set(operation.selectionSet);
  const roots = walk.rootNames(operation.selectionSet);
  const meta = walk.introspection(operation.selectionSet);
  return {
    depth: body.depth,
    aliases: body.aliases,
    rootFields: body.width,
    directives: body.directives + definitionDirectives(operation),
    selections: body.selections,
    introspects: roots.has('__schema') || roots.has('__type'),
    introspectionDepth: meta.depth,
    introspectionLists: meta.lists,
    asksFederation: roots.has('_service') || roots.has('_entities'),
    usesReservedName: body.reserved,
    metaOnly: [...roots].every((name) => name.startsWith('__')),
    rootNames: roots,
    hasFragmentCycle: walk.foundCycle(),
  };
}

interface Sums {
  readonly depth: number;
  readonly aliases: number;
  readonly directives: number;
  readonly selections: number;
  /** Fields at this level. */
  readonly width: number;
  readonly reserved: boolean;
}

interface MetaSums {
  readonly depth: number;
  readonly lists: number;
}

const nothing: Sums = {
  depth: 0,
  aliases: 0,
  directives: 0,
  selections: 0,
  width: 0,
  reserved: false,
};
const noMeta: MetaSums = { depth: 0, lists: 0 };
const introspectionLists = new Set(['fields', 'inputFields', 'interfaces', 'possibleTypes']);

function walker(document: DocumentNode) {
  const fragments = fragmentsOf(document);
  const sums = new Map<string, Sums>();
  const metaSums = new Map<string, MetaSums>();
  const open = new Set<string>();
  let cycle = false;

  function through<T>(
    name: string,
    known: Map<string, T>,
    empty: T,
    find: (set: SelectionSetNode) => T,
  ): T {
    const done = known.get(name);
    if (done !== undefined) return done;
    const fragment = fragments.get(name);
    if (fragment === undefined) return empty;
    if (open.has(name)) {
      cycle = true;
      return empty;
    }
    open.add(name);
    const found = find(fragment.selectionSet);
    open.delete(name);
    known.set(name, found);
    return found;
  }

  function set(node: SelectionSetNode): Sums {
    let total = nothing;
    for (const selection of node.selections) {
      const directives = selection.directives?.length ?? 0;
      if (selection.kind === Kind.FIELD) total = add(total, field(selection), directives);
      else if (selection.kind === Kind.INLINE_FRAGMENT)
        total = add(total, set(selection.selectionSet), directives);
      else total = add(total, through(selection.name.value, sums, nothing, set), directives);
    }
    return total;
  }

  function field(node: FieldNode): Sums {
    const inner = node.selectionSet === undefined ? nothing : set(node.selectionSet);
    // Introspection has a depth of its own: clients ask for nine levels of `ofType`.
    const meta = node.name.value === '__schema' || node.name.value === '__type';
    return {
      depth: meta ? 1 : inner.depth + 1,
      aliases: inner.aliases + (node.alias === undefined ? 0 : 1),
      directives: inner.directives,
      selections: inner.selections,
      width: 1,
      reserved: inner.reserved || node.alias?.value === '__proto__',
    };
  }

  function introspection(node: SelectionSetNode, seen = new Set<string>()): MetaSums {
    let total = noMeta;
    for (const selection of node.selections) {
      if (selection.kind === Kind.FIELD) {
        const name = selection.name.value;
        if ((name === '__schema' || name === '__type') && selection.selectionSet !== undefined)
          total = deeper(total, metaSet(selection.selectionSet));
      } else if (selection.kind === Kind.INLINE_FRAGMENT)
        total = deeper(total, introspection(selection.selectionSet, seen));
      else if (!seen.has(selection.name.value)) {
        seen.add(selection.name.value);
        const fragment = fragments.get(selection.name.value);
        if (fragment !== undefined)
          total = deeper(total, introspection(fragment.selectionSet, seen));
      }
    }
    return total;
  }

  function metaSet(node: SelectionSetNode): MetaSums {
    let total = noMeta;
    for (const selection of node.selections) {
      if (selection.kind === Kind.FIELD) {
        const inner =
          selection.selectionSet === undefined ? noMeta : metaSet(selection.selectionSet);
        const list = introspectionLists.has(selection.name.value) ? 1 : 0;
        total = deeper(total, { depth: inner.depth + 1, lists: inner.lists + list });
      } else if (selection.kind === Kind.INLINE_FRAGMENT)
        total = deeper(total, metaSet(selection.selectionSet));
      else total = deeper(total, through(selection.name.value, metaSums, noMeta, metaSet));
    }
    return total;
  }

  function rootNames(node: SelectionSetNode, names = new Set<string>(), seen = new Set<string>()) {
    for (const selection of node.selections) {
      if (selection.kind === Kind.FIELD) names.add(selection.name.value);
      else if (selection.kind === Kind.INLINE_FRAGMENT)
        rootNames(selection.selectionSet, names, seen);
      else if (!seen.has(selection.name.value)) {
        seen.add(selection.name.value);
        const fragment = fragments.get(selection.name.value);
        if (fragment !== undefined) rootNames(fragment.selectionSet, names, seen);
      }
    }
    return names;
  }

  return { set, introspection, rootNames, foundCycle: () => cycle };
}

/** The fragments of a document by name. */
export function fragmentsOf(document: DocumentNode): ReadonlyMap<string, FragmentDefinitionNode> {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION)
      fragments.set(definition.name.value, definition);
  return fragments;
}

function add(total: Sums, part: Sums, directives: number): Sums {
  return {
    depth: Math.max(total.depth, part.depth),
    aliases: total.aliases + part.aliases,
    directives: total.directives + part.directives + directives,
    selections: total.selections + part.selections + 1,
    width: total.width + part.width,
    reserved: total.reserved || part.reserved,
  };
}

const deeper = (left: MetaSums, right: MetaSums): MetaSums => ({
  depth: Math.max(left.depth, right.depth),
  lists: Math.max(left.lists, right.lists),
});

function definitionDirectives(operation: OperationDefinitionNode): number {
  const onVariables = (operation.variableDefinitions ?? []).map((it) => it.directives?.length ?? 0);
  return (operation.directives?.length ?? 0) + onVariables.reduce((sum, count) => sum + count, 0);
}
