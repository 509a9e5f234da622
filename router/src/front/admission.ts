import { PlatformError } from '@opea/kernel/errors';
import {
  type GraphQLError,
  type GraphQLSchema,
  getVariableValues,
  type OperationDefinitionNode,
  OperationTypeNode,
} from 'graphql';
import { answers } from '../errors.ts';
import { estimateCost } from '../guards/cost.ts';
import type { DemandHints } from '../guards/demand.ts';
import type { MeasuredOperation } from '../guards/document.ts';
import type { GuardPolicy } from '../guards/policy.ts';
import { violationsOfVariables } from '../guards/variables.ts';
import type { Caller } from '../identity/caller.ts';
import { documentReader, type KnownDocument } from './documents.ts';
import type { Params } from './params.ts';
import { persistedQueries } from './persisted-queries.ts';
import { type RateLimiter, type WorkClass, workClassOf } from './rate-limits.ts';

/** An operation that passed every guard. */
export interface Admitted {
  readonly known: KnownDocument;
  readonly operation: OperationDefinitionNode;
  readonly isSubscription: boolean;
  readonly operationName: string | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
}

export interface AdmissionRequest {
  readonly params: Params;
  readonly caller: Caller;
  /** Length of the message that brought the parameters. */
  readonly bytes: number;
  readonly method: 'GET' | 'POST';
}

/** A request that does not fit the graph: more than one reason may be told. */
export class RequestErrors extends PlatformError {
  readonly reasons: readonly GraphQLError[];

  constructor(refusal: PlatformError, reasons: readonly GraphQLError[]) {
    super(refusal.kind, refusal.message, { cause: refusal.cause });
    this.reasons = reasons;
  }
}

export type Introspection = 'nobody' | 'authenticated' | 'everybody';

export interface AdmissionOptions {
  readonly schema: GraphQLSchema;
  readonly hints: DemandHints;
  readonly policy: GuardPolicy;
  readonly rates: RateLimiter;
  readonly introspection: Introspection;
  /** Whether callers without a credential may ask more than introspection. */
  readonly allowAnonymous: boolean;
}

/** Text of persisted queries that is remembered. */
const persistedBytes = 8 * 1024 * 1024;

export type Admit = (request: AdmissionRequest) => Promise<Admitted>;

/** Every guard between a request and the planner, in the order of what they cost. */
export function admission(options: AdmissionOptions): Admit {
  const { schema, hints, policy, rates, allowAnonymous } = options;
  const documents = documentReader({ schema, policy });
  const persisted = persistedQueries({ maxBytes: persistedBytes });

  const mayIntrospect = (caller: Caller) =>
    options.introspection === 'everybody' ||
    (options.introspection === 'authenticated' && caller.kind !== 'anonymous');

  const constantCosts = new WeakMap<MeasuredOperation, number>();
  const costOf = (
    { document, violated }: KnownDocument,
    operation: MeasuredOperation,
    variables: Readonly<Record<string, unknown>>,
  ): number => {
    // What is too large to write out (and was only measured) is too large to estimate.
    if (violated.includes('SELECTIONS') || violated.includes('FRAGMENT_CYCLE')) return Infinity;
    const constant = constantCosts.get(operation);
    if (constant !== undefined) return constant;
    const { node } = operation;
    const cost = estimateCost({ schema, hints, document, operation: node, variables });
    if (node.variableDefinitions?.length === 0) constantCosts.set(operation, cost);
    return cost;
  };

  const works = new WeakMap<MeasuredOperation, WorkClass>();
  const workOf = (operation: MeasuredOperation): WorkClass => {
    const known = works.get(operation);
    if (known !== undefined) return known;
    const work = workClassOf(operation.node, operation.measures.rootNames, hints);
    works.set(operation, work);
    return work;
  };

  return async ({ params, caller, bytes, method }) => {
    const { operationName, variables } = params;
    const query = persisted.resolve(params.query, params.extensions, caller);
    if (bytes > 1024 || hasNested(variables))
      policy.demand(violationsOfVariables(variables, policy.limits, bytes));
    const known = documents.read(query);
    const chosen = choose(known.operations, operationName);
    if (method === 'GET' && chosen?.node.operation === OperationTypeNode.MUTATION)
      policy.demand(['MUTATION_OVER_GET']);
    if (chosen?.measures.introspects && !mayIntrospect(caller))
      policy.demand(['INTROSPECTION_OFF']);
    const explains = mayIntrospect(caller) || policy.isOff('INTROSPECTION_OFF');
    if (known.errors.length > 0)
      throw new RequestErrors(answers.VALIDATION_FAILED(), explains ? known.errors : []);
    if (chosen === undefined) throw answers.OPERATION_UNKNOWN();
    const { node, measures } = chosen;
    if (caller.kind === 'anonymous' && !allowAnonymous && !measures.metaOnly)
      throw answers.UNAUTHENTICATED();
    demandVariables(schema, node, variables, explains);

    if (!measures.metaOnly) {
      if (!policy.isOff('COST') && costOf(known, chosen, variables) > policy.limits.cost)
        policy.demand(['COST']);
      if (!policy.isOff('RATE')) {
        const waitMs = await rates.take(caller, workOf(chosen));
        if (waitMs !== undefined) policy.demandLater('RATE', waitMs);
      }
    }
    return {
      known,
      operation: node,
      isSubscription: node.operation === OperationTypeNode.SUBSCRIPTION,
      operationName: node.name?.value,
      variables,
    };
  };
}

function choose(
  operations: readonly MeasuredOperation[],
  name: string | undefined,
): MeasuredOperation | undefined {
  if (name === undefined) return operations.length === 1 ? operations[0] : undefined;
  return operations.find(({ node }) => node.name?.value === name);
}

function demandVariables(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
  explains: boolean,
): void {
  const definitions = operation.variableDefinitions ?? [];
  if (definitions.length === 0) return;
  const { errors } = getVariableValues(schema, definitions, variables, { maxErrors: 1 });
  if (errors !== undefined)
    throw new RequestErrors(answers.VARIABLES_INVALID(), explains ? errors.map(plain) : []);
}

/** Coercion offers enum values that resemble what was sent; nobody is told what else there is. */
function plain(error: GraphQLError): GraphQLError {
  error.message = error.message.replace(/ Did you mean .*\?$/s, '');
  return error;
}

const hasNested = (variables: Readonly<Record<string, unknown>>): boolean =>
  Object.hasOwn(variables, '__proto__') ||
  Object.values(variables).some((value) => typeof value === 'object' && value !== null);
