import type {
  FetchNodePathSegment,
  FetchRewrite,
  FlattenNodePathSegment,
  BatchFetchNode as RawBatchFetch,
  FetchNode as RawFetch,
  PlanNode as RawNode,
  QueryPlan as RawPlan,
  RequiresSelection as RawSelection,
} from '@graphql-hive/router-query-planner';

import type {
  FetchNode,
  PathStep,
  PlanNode,
  QueryPlan,
  RequiredSelection,
  Rewrite,
  RewriteStep,
} from './plan.ts';
import { type Planner, PlanningFailed } from './planner.ts';
import { plannerProcess } from './planner-process.ts';

/** The native planner of @graphql-hive/router-query-planner, in a process of its own. */
export function nativePlanner(supergraphSdl: string): Planner {
  const process = plannerProcess({ script: 'native-planner.mjs', supergraphSdl });
  return {
    ready: () => process.ready(),
    async plan(operation, signal) {
      const raw: RawPlan = JSON.parse(await process.ask(operation, signal));
      return toPlan(raw.node);
    },
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}

function toPlan(raw: RawNode | undefined): QueryPlan {
  if (!raw) return { primary: undefined, node: undefined };
  if (raw.kind === 'Subscription') return { primary: toFetch(raw.primary, []), node: undefined };
  if (raw.kind === 'Sequence' && raw.nodes[0]?.kind === 'Subscription') {
    const [first, ...rest] = raw.nodes;
    return {
      primary: toFetch(first.primary, []),
      node: { kind: 'sequence', nodes: rest.map((node) => toNode(node, [])) },
    };
  }
  return { primary: undefined, node: toNode(raw, []) };
}

function toNode(raw: RawNode, at: readonly PathStep[]): PlanNode {
  switch (raw.kind) {
    case 'Sequence':
      return { kind: 'sequence', nodes: raw.nodes.map((node) => toNode(node, at)) };
    case 'Parallel':
      return { kind: 'parallel', nodes: raw.nodes.map((node) => toNode(node, at)) };
    case 'Flatten':
      return toNode(raw.node, [...at, ...raw.path.map(toStep)]);
    case 'Condition':
      return {
        kind: 'condition',
        variable: raw.condition,
        whenTrue: raw.ifClause ? toNode(raw.ifClause, at) : undefined,
        whenFalse: raw.elseClause ? toNode(raw.elseClause, at) : undefined,
      };
    case 'Fetch':
      return toFetch(raw, at);
    case 'BatchFetch':
      return toBatchFetch(raw);
    case 'Subscription':
    case 'Defer':
      throw new PlanningFailed(`The native planner answered with a ${raw.kind} inside a plan.`);
    default:
      throw new PlanningFailed('The native planner answered with an unknown node.');
  }
}

function toFetch(raw: RawFetch, at: readonly PathStep[]): FetchNode {
  const isEntities = raw.requires !== undefined && raw.requires.length > 0;
  return {
    ...requestOf(raw),
    lookups: isEntities
      ? [
          {
            alias: '_entities',
            variable: 'representations',
            paths: [at],
            requires: (raw.requires ?? []).map(toRequired),
            inputRewrites: (raw.inputRewrites ?? []).map(toRewrite),
            outputRewrites: (raw.outputRewrites ?? []).map(toRewrite),
          },
        ]
      : [],
    outputRewrites: isEntities ? [] : (raw.outputRewrites ?? []).map(toRewrite),
  };
}

function toBatchFetch(raw: RawBatchFetch): FetchNode {
  return {
    ...requestOf(raw),
    lookups: raw.entityBatch.aliases.map((alias) => ({
      alias: alias.alias,
      variable: alias.representationsVariableName,
      paths: alias.paths.map((path) => path.map(toStep)),
      requires: alias.requires.map(toRequired),
      inputRewrites: (alias.inputRewrites ?? []).map(toRewrite),
      outputRewrites: (alias.outputRewrites ?? []).map(toRewrite),
    })),
    outputRewrites: [],
  };
}

function requestOf(raw: RawFetch | RawBatchFetch) {
  return {
    kind: 'fetch',
    subgraph: raw.serviceName,
    operationKind: raw.operationKind ?? 'query',
    operation: raw.operation,
    operationName: raw.operationName,
    variables: raw.variableUsages ?? [],
  } as const;
}

function toStep(segment: FlattenNodePathSegment): PathStep {
  if (segment === '@') return { each: true };
  return 'Field' in segment ? { key: segment.Field } : { types: segment.TypeCondition };
}

function toRequired(selection: RawSelection): RequiredSelection {
  switch (selection.kind) {
    case 'Field':
      return {
        kind: 'field',
        source: selection.name,
        target: selection.alias ?? selection.name,
        selections: (selection.selections ?? []).map(toRequired),
      };
    case 'InlineFragment':
      return {
        kind: 'fragment',
        type: selection.typeCondition,
        selections: selection.selections.map(toRequired),
      };
    case 'FragmentSpread':
      throw new PlanningFailed('The native planner answered with a named fragment.');
    default:
      throw new PlanningFailed('The native planner answered with an unknown selection.');
  }
}

function toRewrite(raw: FetchRewrite): Rewrite {
  if ('KeyRenamer' in raw) {
    const { path, renameKeyTo } = raw.KeyRenamer;
    return { path: path.map(toRewriteStep), change: { renameTo: renameKeyTo } };
  }
  const { path, setValueTo } = 'ValueSetter' in raw ? raw.ValueSetter : raw;
  return { path: path.map(toRewriteStep), change: { setTo: setValueTo } };
}

function toRewriteStep(segment: FetchNodePathSegment): RewriteStep {
  if ('Key' in segment) return { key: segment.Key };
  const types: unknown = segment.TypenameEquals;
  return { types: Array.isArray(types) ? types.map(String) : [String(types)] };
}
