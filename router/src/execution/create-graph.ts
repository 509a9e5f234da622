import { setMaxListeners } from 'node:events';
import type { Clock } from '@opea/kernel/clock';
import { badUserInput, defineError } from '@opea/kernel/errors';
import { type Logger, silentLogger } from '@opea/kernel/log';
import type { Metrics } from '@opea/kernel/metrics';
import type { SubgraphEndpoint } from '@opea/kernel/subgraph';
import { isNonNullType, OperationTypeNode } from 'graphql';
import { LRUCache } from 'lru-cache';

import { OperationTooLarge, RequirementsConflict } from '../canonical/canonical-operation.ts';
import { readSupergraph, type Supergraph } from '../canonical/supergraph.ts';
import type { Graph, GraphAnswer, GraphOperation } from '../graph.ts';
import { apolloPlanner } from '../planning/apollo-planner.ts';
import { fallbackPlanner } from '../planning/fallback-planner.ts';
import { nativePlanner } from '../planning/native-planner.ts';
import type { QueryPlan } from '../planning/plan.ts';
import { type PlanCache, planCache } from '../planning/plan-cache.ts';
import type { Planner } from '../planning/planner.ts';
import { subgraphsOf } from '../planning/subgraphs-of.ts';
import { introspect } from '../shaping/introspect.ts';
import { type ShapedAnswer, shapeAnswer } from '../shaping/shape-answer.ts';
import { guardedSource } from '../sources/guarded-source.ts';
import { remoteSource } from '../sources/remote-source.ts';
import { subscribeTo } from '../subscriptions/subscribe.ts';
import { type Execution, executePlan } from './execute-plan.ts';
import { FieldError } from './failure.ts';
import { inFlight } from './in-flight.ts';
import { subgraphErrorMask } from './mask-subgraph-error.ts';
import {
  type OperationVariant,
  type PreparedOperation,
  prepareOperation,
} from './prepared-operation.ts';

export interface GraphOptions {
  readonly supergraphSdl: string;
  /** One per subgraph of the supergraph, by its name there: in this process, or behind HTTP. */
  readonly sources: Readonly<Record<string, SubgraphEndpoint | { readonly url: string }>>;
  /**
   * `native` falls back to Apollo's planner for operations it has no plan for, and for supergraphs
   * with interface objects. @default 'native'
   */
  readonly planner?: 'native' | 'apollo';
  readonly limits?: Partial<GraphLimits>;
  /**
   * Equal queries that are in flight at the same time, with equal headers for every subgraph, share
   * one run and one answer. @default false
   */
  readonly shareInFlight?: boolean;
  /** Codes of the platform's error catalogue; by default every code that looks like one. */
  readonly errorCodes?: ReadonlySet<string>;
  readonly logger?: Logger;
  readonly metrics?: Metrics;
  readonly clock?: Clock;
}

export interface GraphLimits {
  /** One operation may be planned this long. @default 500 */
  readonly planningMs: number;
  /** One request to a subgraph may take this long. @default 5_000 */
  readonly subgraphMs: number;
  /** Size of one subgraph's answer. @default 10 MiB */
  readonly answerBytes: number;
  /** Plans kept, and documents kept. @default 2_000 */
  readonly plans: number;
}

/** A graph, and what only its operator sees of it. */
export interface PlannedGraph extends Graph {
  readonly supergraph: Supergraph;
  /** The plans of an operation, in the order they run. Rejects as `execute` would answer. */
  plan(
    request: Pick<GraphOperation, 'document' | 'query' | 'operationName' | 'variables'>,
  ): Promise<readonly QueryPlan[]>;
  /** Plans ahead what another graph was asked, so that taking over costs no request its plan. */
  warm(operations: readonly string[]): Promise<void>;
  /** Canonical operations whose plans were used last, newest first. */
  recentOperations(): readonly string[];
}

export const operationTooComplex = defineError(
  'OPERATION_TOO_COMPLEX',
  400,
  (_: Record<string, never>) => 'The operation is too complex.',
);

/** Opens a federated graph. Disposing of it closes what it opened, never the endpoints it was given. */
export function createGraph(options: GraphOptions): PlannedGraph {
  const { supergraphSdl, logger = silentLogger, metrics, clock, limits = {} } = options;
  const supergraph = readSupergraph(supergraphSdl);
  const planner = plannerOf(options);
  const plans = planCache({
    planner,
    ...(limits.plans === undefined ? {} : { maxPlans: limits.plans }),
    ...(limits.planningMs === undefined ? {} : { timeoutMs: limits.planningMs }),
  });
  const sources = new Map<string, SubgraphEndpoint>();
  const opened: AsyncDisposable[] = [planner];
  for (const [name, given] of Object.entries(options.sources)) {
    let endpoint: SubgraphEndpoint;
    if ('url' in given) {
      const remote = remoteSource({ url: given.url, maxAnswerBytes: limits.answerBytes });
      opened.push(remote);
      endpoint = remote;
    } else endpoint = given;
    const timeoutMs = limits.subgraphMs ?? 5_000;
    sources.set(name, guardedSource({ name, endpoint, metrics, clock, timeoutMs }));
  }
  const mask = subgraphErrorMask({
    logger,
    ...(options.errorCodes ? { codes: options.errorCodes } : {}),
  });
  const documents = new LRUCache<string, PreparedOperation>({ max: limits.plans ?? 2_000 });

  const shared = options.shareInFlight ? inFlight() : undefined;

  const prepare = (request: Pick<GraphOperation, 'document' | 'query' | 'operationName'>) => {
    const key = `${request.operationName ?? ''}\n${request.query}`;
    const known = documents.get(key);
    if (known) return known;
    const prepared = prepareOperation(supergraph, request.document, request.operationName);
    if (prepared) documents.set(key, prepared);
    return prepared;
  };

  const begin = (
    request: Pick<GraphOperation, 'document' | 'query' | 'operationName' | 'variables'>,
  ): Begun => {
    const prepared = prepare(request);
    if (!prepared) {
      return refusal(badUserInput({ reason: 'The document has no such operation.' }));
    }
    const coerced = prepared.coerce(request.variables);
    if ('errors' in coerced) {
      return refusal(badUserInput({ reason: 'A variable does not fit its type.' }));
    }
    try {
      const variant = prepared.variantFor(coerced.values);
      return { prepared, variables: coerced.values, variant };
    } catch (error) {
      if (error instanceof OperationTooLarge || error instanceof RequirementsConflict) {
        return refusal(operationTooComplex({}, error));
      }
      throw error;
    }
  };

  const executionOf = (
    request: GraphOperation,
    variables: Readonly<Record<string, unknown>>,
  ): Execution => {
    // Every fetch under way listens for the end of the request; there is no leak in that.
    setMaxListeners(0, request.signal);
    const { headersFor, signal } = request;
    return { supergraph, sources, data: {}, failures: [], variables, headersFor, signal, mask };
  };

  const run = async (
    request: GraphOperation,
    begun: Exclude<Begun, Refused>,
    planned: readonly QueryPlan[],
  ): Promise<GraphAnswer> => {
    const { prepared, variant, variables } = begun;
    const { shape, typename } = variant;
    const execution = executionOf(request, variables);
    await runPlans(planned, execution, begun);
    const { operation, fragments } = prepared;
    const schema = supergraph.apiSchema;
    const meta = variant.hasMeta
      ? introspect({ schema, operation, fragments, variables: request.variables, shape, typename })
      : undefined;
    return answerOf(shapeAnswer({ shape, typename, data: execution.data, meta }), execution);
  };

  return {
    supergraph,
    apiSchema: supergraph.apiSchema,

    async execute(request) {
      const begun = begin(request);
      if ('refused' in begun) return begun.refused;
      const planned = await plansFor(plans, begun.variant);
      if ('refused' in planned) {
        logger.warn({ err: planned.cause }, 'an operation was not planned');
        return planned.refused;
      }
      const isQuery = begun.prepared.operation.operation === OperationTypeNode.QUERY;
      if (!shared || !isQuery) return run(request, begun, planned.plans);
      const key = await sharedKey(request, begun, planned.plans);
      return shared.join(key, request.signal, (signal) =>
        run({ ...request, signal }, begun, planned.plans),
      );
    },

    async subscribe(request) {
      const begun = begin(request);
      if ('refused' in begun) return once(begun.refused);
      const { variant, variables } = begun;
      const planned = await plansFor(plans, variant);
      if ('refused' in planned) return once(planned.refused);
      const plan = planned.plans[0];
      if (!plan?.primary) {
        return once(
          refusal(badUserInput({ reason: 'The operation is not a subscription.' })).refused,
        );
      }
      return subscribeTo({
        primary: plan.primary,
        rest: plan.node,
        variant,
        executionOf: () => executionOf(request, variables),
      });
    },

    async plan(request) {
      const begun = begin(request);
      if ('refused' in begun) throw badUserInput({ reason: 'The operation does not fit.' });
      return Promise.all(begun.variant.canonical.map(({ text }) => plans.plan(text)));
    },

    async warm(operations) {
      await Promise.allSettled(operations.map((operation) => plans.plan(operation)));
    },

    recentOperations: () => plans.recent(),

    async [Symbol.asyncDispose]() {
      await Promise.all(opened.map((part) => part[Symbol.asyncDispose]()));
    },
  };
}

/** Everything that the answer depends on: the operation, its variables, and what is forwarded. */
async function sharedKey(
  request: GraphOperation,
  { variant, variables }: Exclude<Begun, Refused>,
  planned: readonly QueryPlan[],
): Promise<string> {
  const headers = await Promise.all(subgraphsOf(planned).map((name) => request.headersFor(name)));
  const { query, operationName } = request;
  const canonical = variant.canonical.map(({ text }) => text);
  return JSON.stringify([query, operationName, canonical, request.variables, variables, headers]);
}

type Begun =
  | {
      readonly prepared: PreparedOperation;
      readonly variant: OperationVariant;
      readonly variables: Readonly<Record<string, unknown>>;
    }
  | Refused;

interface Refused {
  readonly refused: GraphAnswer;
  readonly cause?: unknown;
}

function plannerOf({ supergraphSdl, planner = 'native' }: GraphOptions): Planner {
  // The native planner leaves out fetches where interface objects meet type conditions.
  const hasInterfaceObjects = /isInterfaceObject:\s*true/.test(supergraphSdl);
  if (planner === 'apollo' || hasInterfaceObjects) return apolloPlanner(supergraphSdl);
  return fallbackPlanner({
    first: nativePlanner(supergraphSdl),
    makeSecond: () => apolloPlanner(supergraphSdl),
  });
}

async function plansFor(
  plans: PlanCache,
  variant: OperationVariant,
): Promise<{ readonly plans: readonly QueryPlan[] } | Refused> {
  try {
    if (variant.canonical.length === 1 && variant.canonical[0]) {
      return { plans: [await plans.plan(variant.canonical[0].text)] };
    }
    return { plans: await Promise.all(variant.canonical.map(({ text }) => plans.plan(text))) };
  } catch (cause) {
    return { ...refusal(operationTooComplex({}, cause)), cause };
  }
}

/** One plan for a query; for a mutation one per root field, which ends at a null it may not hold. */
async function runPlans(
  plans: readonly QueryPlan[],
  execution: Execution,
  { prepared, variant }: { prepared: PreparedOperation; variant: OperationVariant },
): Promise<void> {
  for (const [index, { node }] of plans.entries()) {
    if (node) await executePlan(node, execution);
    const root = variant.canonical[index]?.root;
    const type = root && prepared.rootType.getFields()[root.name]?.type;
    if (!root || !isNonNullType(type)) continue;
    const value = execution.data[root.key];
    if (value === null || value === undefined || value instanceof FieldError) return;
  }
}

/** The client's answer; errors that have no place in the data come last. */
export function answerOf(shaped: ShapedAnswer, execution: Execution): GraphAnswer {
  const { data, errors } = shaped;
  if (errors.length === 0 && execution.failures.length === 0) return { data };
  return { data, errors: [...errors, ...execution.failures] };
}

function refusal(error: { message: string; kind: { code: string } }): Refused {
  return {
    refused: { errors: [{ message: error.message, extensions: { code: error.kind.code } }] },
  };
}

async function* once(answer: GraphAnswer): AsyncGenerator<GraphAnswer> {
  yield answer;
}
