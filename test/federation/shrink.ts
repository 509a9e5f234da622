import {
  type ASTNode,
  type DocumentNode,
  Kind,
  type OperationDefinitionNode,
  parse,
  print,
  visit,
} from 'graphql';

import type { GeneratedOperation } from './generate-operation.ts';

/** The shortest operation found that still fails: parts are left out one at a time. */
export async function shrink(
  operation: GeneratedOperation,
  fails: (candidate: GeneratedOperation) => Promise<boolean>,
): Promise<GeneratedOperation> {
  let best = operation;
  for (let isShorter = true; isShorter; ) {
    isShorter = false;
    for (const query of shorterThan(parse(best.query))) {
      const candidate = withUsedVariables(query, best.variables);
      if (!candidate || candidate.query.length >= best.query.length) continue;
      if (!(await fails(candidate))) continue;
      best = candidate;
      isShorter = true;
      break;
    }
  }
  return best;
}

function* shorterThan(document: DocumentNode): Generator<DocumentNode> {
  const nodes: ASTNode[] = [];
  visit(document, { enter: (node) => void nodes.push(node) });
  for (const target of nodes) {
    if (target.kind === Kind.FIELD) {
      yield without(document, target);
      if (target.alias) yield replace(document, target, { ...target, alias: undefined });
    } else if (target.kind === Kind.INLINE_FRAGMENT || target.kind === Kind.FRAGMENT_SPREAD) {
      yield without(document, target);
      yield spread(document, target);
    } else if (target.kind === Kind.DIRECTIVE || target.kind === Kind.ARGUMENT) {
      yield without(document, target);
    }
  }
}

function without(document: DocumentNode, target: ASTNode): DocumentNode {
  return visit(document, { enter: (node) => (node === target ? null : undefined) });
}

function replace(document: DocumentNode, target: ASTNode, by: object): DocumentNode {
  return visit(document, { enter: (node) => (node === target ? by : undefined) });
}

/** The fragment's selections in its place. */
function spread(document: DocumentNode, target: ASTNode): DocumentNode {
  return visit(document, {
    SelectionSet: (set) => {
      const at = set.selections.findIndex((selection) => selection === target);
      const selection = set.selections[at];
      if (selection === undefined || selection.kind === Kind.FIELD) return undefined;
      const body =
        selection.kind === Kind.INLINE_FRAGMENT
          ? selection.selectionSet
          : document.definitions.find(
              (definition) =>
                definition.kind === Kind.FRAGMENT_DEFINITION &&
                definition.name.value === selection.name.value,
            );
      const inner = body && 'selectionSet' in body ? body.selectionSet : body;
      if (!inner || !('selections' in inner)) return undefined;
      const selections = [...set.selections];
      selections.splice(at, 1, ...inner.selections);
      return { ...set, selections };
    },
  });
}

/** Unused fragments and variables dropped; undefined when nothing sensible is left. */
function withUsedVariables(
  document: DocumentNode,
  variables: Readonly<Record<string, unknown>>,
): GeneratedOperation | undefined {
  let current = document;
  for (;;) {
    const spreads = new Set<string>();
    visit(current, { FragmentSpread: (node) => void spreads.add(node.name.value) });
    const kept = current.definitions.filter(
      (definition) =>
        definition.kind !== Kind.FRAGMENT_DEFINITION || spreads.has(definition.name.value),
    );
    if (kept.length === current.definitions.length) break;
    current = { ...current, definitions: kept };
  }
  const used = new Set<string>();
  for (const definition of current.definitions) {
    if (!('selectionSet' in definition)) continue;
    visit(definition.selectionSet, { Variable: (node) => void used.add(node.name.value) });
  }
  const definitions = current.definitions.map((definition) =>
    definition.kind === Kind.OPERATION_DEFINITION ? onlyUsed(definition, used) : definition,
  );
  const entries = Object.entries(variables).filter(([name]) => used.has(name));
  try {
    const query = print({ ...current, definitions });
    parse(query);
    return { query, variables: Object.fromEntries(entries) };
  } catch {
    return undefined;
  }
}

function onlyUsed(
  operation: OperationDefinitionNode,
  used: ReadonlySet<string>,
): OperationDefinitionNode {
  const variableDefinitions = operation.variableDefinitions ?? [];
  return {
    ...operation,
    variableDefinitions: variableDefinitions.filter((definition) =>
      used.has(definition.variable.name.value),
    ),
  };
}
