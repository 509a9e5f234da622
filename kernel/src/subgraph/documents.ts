import {
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  parse,
  type SelectionSetNode,
  validate,
} from 'graphql';
import { LRUCache } from 'lru-cache';

/** A document that may run, or what is wrong with it. */
export type CheckedDocument =
  | { readonly document: DocumentNode; readonly errors?: never }
  | { readonly errors: readonly GraphQLError[]; readonly document?: never };

/** Parses and validates, and remembers the last 2,000 documents. */
export function documentChecker(
  schema: GraphQLSchema,
  { maxDepth, maxTokens = 20_000 }: { readonly maxDepth: number; readonly maxTokens?: number },
): (query: string) => CheckedDocument {
  const checked = new LRUCache<string, CheckedDocument>({ max: 2_000 });
  return (query) => {
    const known = checked.get(query);
    if (known) return known;
    const result = check(query);
    checked.set(query, result);
    return result;
  };

  function check(query: string): CheckedDocument {
    try {
      const document = parse(query, { maxTokens, noLocation: true });
      const errors = validate(schema, document, undefined, { maxErrors: 10 });
      if (errors.length > 0) return { errors };
      if (depthOf(document) <= maxDepth) return { document };
      return { errors: [new GraphQLError('The operation is nested too deeply.')] };
    } catch (error) {
      if (error instanceof GraphQLError) return { errors: [error] };
      throw error;
    }
  }
}

/** Levels of fields of the deepest operation. The document is valid: its fragments have no cycles. */
function depthOf(document: DocumentNode): number {
  const fragments = new Map<string, FragmentDefinitionNode>();
  const depths = new Map<string, number>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) {
      fragments.set(definition.name.value, definition);
    }
  }
  const ofFragment = (name: string): number => {
    const known = depths.get(name);
    if (known !== undefined) return known;
    const depth = ofSelections(fragments.get(name)?.selectionSet);
    depths.set(name, depth);
    return depth;
  };
  const ofSelections = (set: SelectionSetNode | undefined): number => {
    let deepest = 0;
    for (const selection of set?.selections ?? []) {
      const depth =
        selection.kind === Kind.FRAGMENT_SPREAD
          ? ofFragment(selection.name.value)
          : ofSelections(selection.selectionSet) + (selection.kind === Kind.FIELD ? 1 : 0);
      deepest = Math.max(deepest, depth);
    }
    return deepest;
  };
  return Math.max(
    0,
    ...document.definitions.map((definition) =>
      definition.kind === Kind.OPERATION_DEFINITION ? ofSelections(definition.selectionSet) : 0,
    ),
  );
}
