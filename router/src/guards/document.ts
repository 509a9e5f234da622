import { type DocumentNode, Kind, type OperationDefinitionNode } from 'graphql';
import type { GuardName } from '../errors.ts';
import type { Limits } from './limits.ts';
import { fragmentsOf, measureOperation, type OperationMeasures } from './measure.ts';
import { countRepetitions } from './repetition.ts';

export interface MeasuredDocument {
  readonly operations: readonly MeasuredOperation[];
  /** Guards that the document violates, the cheapest to know first. */
  readonly violated: readonly GuardName[];
}

export interface MeasuredOperation {
  readonly node: OperationDefinitionNode;
  readonly measures: OperationMeasures;
}

/** Measures every operation of a document before anything looks at the schema. */
export function measureDocument(document: DocumentNode, limits: Limits): MeasuredDocument {
  const nodes = document.definitions.filter((it) => it.kind === Kind.OPERATION_DEFINITION);
  if (nodes.length > limits.operations) return { operations: [], violated: ['OPERATIONS'] };

  const violated = new Set<GuardName>();
  const operations = nodes.map((node) => ({ node, measures: measureOperation(document, node) }));
  for (const { measures } of operations)
    for (const name of violationsOf(measures, limits)) violated.add(name);

  const bounded = !violated.has('SELECTIONS') && !violated.has('FRAGMENT_CYCLE');
  if (bounded && exceedsRepetitions(document, nodes, limits)) violated.add('REPETITION');
  return { operations, violated: [...violated] };
}

function violationsOf(measures: OperationMeasures, limits: Limits): readonly GuardName[] {
  const checks: readonly (readonly [GuardName, boolean])[] = [
    ['FRAGMENT_CYCLE', measures.hasFragmentCycle],
    ['DEPTH', measures.depth > limits.depth],
    ['ROOTS', measures.rootFields > limits.rootFields],
    ['ALIASES', measures.aliases > limits.aliases],
    ['DIRECTIVES', measures.directives > limits.directives],
    ['SELECTIONS', measures.selections > limits.selections],
    ['RESERVED_NAME', measures.usesReservedName],
    ['FEDERATION_FIELD', measures.asksFederation],
    [
      'INTROSPECTION_DEPTH',
      measures.introspectionDepth > limits.introspectionDepth ||
        measures.introspectionLists > limits.introspectionLists,
    ],
  ];
  return checks.filter(([, broken]) => broken).map(([name]) => name);
}

function exceedsRepetitions(
  document: DocumentNode,
  nodes: readonly OperationDefinitionNode[],
  limits: Limits,
): boolean {
  const fragments = fragmentsOf(document);
  return nodes.some((node) => countRepetitions(node, fragments) > limits.repetitions);
}
