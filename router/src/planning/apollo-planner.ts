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

/** Apollo's planner, in a process of its own: it plans what the native one does not, ten times slower. */
export function apolloPlanner(supergraphSdl: string): Planner {
  const process = plannerProcess({ script: 'apollo-planner.mjs', supergraphSdl });
  return {
    ready: () => process.ready(),
    async plan(operation, signal) {
      const raw: RawNode | null = JSON.parse(await process.ask(operation, signal));
      return toPlan(raw);
    },
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}

type RawNode =
  | { readonly kind: 'Sequence' | 'Parallel'; readonly nodes: readonly RawNode[] }
  | {
      readonly kind: 'Flatten';
      readonly path: readonly (string | number)[];
      readonly node: RawNode;
    }
  | {
      readonly kind: 'Condition';
      readonly condition: string;
      readonly ifClause?: RawNode;
      readonly elseClause?: RawNode;
    }
  | { readonly kind: 'Subscription'; readonly primary: RawFetch; readonly rest?: RawNode }
  | RawFetch;

interface RawFetch {
  readonly kind: 'Fetch';
  readonly serviceName: string;
  readonly operationKind: 'query' | 'mutation' | 'subscription';
  readonly operation: string;
  readonly operationName?: string;
  readonly variableUsages?: readonly string[];
  readonly requires?: readonly RawSelection[];
  readonly inputRewrites?: readonly RawRewrite[];
  readonly outputRewrites?: readonly RawRewrite[];
}

interface RawSelection {
  readonly kind: 'Field' | 'InlineFragment';
  readonly name?: string;
  readonly alias?: string;
  readonly typeCondition?: string;
  readonly selections?: readonly RawSelection[];
}

interface RawRewrite {
  readonly path: readonly string[];
  readonly setValueTo?: unknown;
  readonly renameKeyTo?: string;
}

function toPlan(raw: RawNode | null): QueryPlan {
  if (raw === null) return { primary: undefined, node: undefined };
  if (raw.kind === 'Subscription') {
    return {
      primary: toFetch(raw.primary, []),
      node: raw.rest ? toNode(raw.rest, []) : undefined,
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
    case 'Subscription':
      throw new PlanningFailed('A subscription stands inside a plan.');
    default:
      throw new PlanningFailed(`Apollo's planner answered with an unknown node.`);
  }
}

function toFetch(raw: RawFetch, at: readonly PathStep[]): FetchNode {
  const isEntities = raw.requires !== undefined && raw.requires.length > 0;
  const outputRewrites = (raw.outputRewrites ?? []).map(toRewrite);
  return {
    kind: 'fetch',
    subgraph: raw.serviceName,
    operationKind: raw.operationKind,
    operation: raw.operation,
    operationName: raw.operationName,
    variables: raw.variableUsages ?? [],
    lookups: isEntities
      ? [
          {
            alias: '_entities',
            variable: 'representations',
            paths: [at],
            requires: (raw.requires ?? []).map(toRequired),
            inputRewrites: (raw.inputRewrites ?? []).map(toRewrite),
            outputRewrites,
          },
        ]
      : [],
    outputRewrites: isEntities ? [] : outputRewrites,
  };
}

function toStep(step: string | number): PathStep {
  return step === '@' ? { each: true } : { key: String(step) };
}

function toRequired(selection: RawSelection): RequiredSelection {
  const selections = (selection.selections ?? []).map(toRequired);
  if (selection.kind === 'InlineFragment') {
    return { kind: 'fragment', type: selection.typeCondition, selections };
  }
  const name = selection.name ?? '';
  return { kind: 'field', source: selection.alias ?? name, target: name, selections };
}

function toRewrite(raw: RawRewrite): Rewrite {
  return {
    path: raw.path.map(toRewriteStep),
    change:
      raw.renameKeyTo === undefined ? { setTo: raw.setValueTo } : { renameTo: raw.renameKeyTo },
  };
}

const typeStep = '... on ';

function toRewriteStep(step: string): RewriteStep {
  return step.startsWith(typeStep) ? { types: [step.slice(typeStep.length)] } : { key: step };
}
