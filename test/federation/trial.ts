import type { SubgraphEndpoint } from '@opea/kernel/subgraph';
import { createGraph, type PlannedGraph, readSupergraph } from '@opea/router/engine';
import { composeServices } from '@theguild/federation-composition';
import { execute, parse } from 'graphql';

import { difference } from './compare.ts';
import { type Facts, factsOf, type SubgraphSource } from './facts.ts';
import { federatedPart } from './federated.ts';
import type { GeneratedOperation } from './generate-operation.ts';
import { createWorld, type Happenings, type Thing, type World } from './world.ts';

/** One supergraph, its monolith, and the router between them. */
export interface Trial extends AsyncDisposable {
  readonly graph: PlannedGraph;
  readonly subgraphs: readonly SubgraphSource[];
  readonly supergraphSdl: string;
  readonly world: World;
  readonly facts: Facts;
  readonly happenings: Happenings;
  /** How the router's answer differs from the monolith's; undefined when they agree. */
  run(operation: GeneratedOperation): Promise<string | undefined>;
  answers(operation: GeneratedOperation): Promise<Answers>;
}

export interface Answers {
  readonly expected: Answer;
  readonly actual: Answer;
}

interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[] | undefined;
    readonly extensions?: unknown;
  }[];
}

export function compose(subgraphs: readonly SubgraphSource[]): string | undefined {
  const result = composeServices(
    subgraphs.map(({ name, sdl }) => ({ name, url: `http://${name}`, typeDefs: parse(sdl) })),
  );
  return result.supergraphSdl;
}

export interface TrialOptions {
  readonly planner?: 'native' | 'apollo';
  /** Told every request to a subgraph and its answer, as one line. */
  readonly onFetch?: (line: string) => void;
}

/** Undefined when the subgraphs do not compose. */
export function openTrial(
  subgraphs: readonly SubgraphSource[],
  { planner = 'native', onFetch }: TrialOptions = {},
): Trial | undefined {
  const supergraphSdl = compose(subgraphs);
  if (supergraphSdl === undefined) return undefined;
  const schema = readSupergraph(supergraphSdl).apiSchema;
  const facts = factsOf(subgraphs);
  const world = createWorld(schema, facts);
  const happenings: Happenings = { mutations: 0 };
  const parts = subgraphs.map((source) => {
    const { endpoint } = federatedPart(source, world, facts, happenings);
    return [source.name, onFetch ? overheard(source.name, endpoint, onFetch) : endpoint] as const;
  });
  const graph = createGraph({
    supergraphSdl,
    sources: Object.fromEntries(parts),
    planner,
    limits: { planningMs: 10_000, subgraphMs: 30_000 },
  });
  const { signal } = new AbortController();

  const answers = async ({ query, variables }: GeneratedOperation): Promise<Answers> => {
    const document = parse(query);
    happenings.mutations = 0;
    const expected: Answer = await execute({
      schema,
      document,
      variableValues: variables,
      contextValue: happenings,
      fieldResolver: world.resolve,
      typeResolver: (thing: Thing) => thing.type,
    });
    happenings.mutations = 0;
    const actual = await graph.execute({
      document,
      query,
      operationName: undefined,
      variables,
      headersFor: async () => ({}),
      signal,
    });
    return { expected, actual };
  };

  return {
    graph,
    subgraphs,
    supergraphSdl,
    world,
    facts,
    happenings,
    answers,
    async run(operation) {
      try {
        const { expected, actual } = await answers(operation);
        // Refused in words is not wrong in silence; the router says so for contradicting requirements.
        if (isRefused(actual)) return undefined;
        return difference(expected, actual);
      } catch (error) {
        return `thrown\n  ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
      }
    },
    [Symbol.asyncDispose]: () => graph[Symbol.asyncDispose](),
  };
}

function isRefused({ data, errors = [] }: Answer): boolean {
  return data === undefined && errors.some((error) => codeOf(error) === 'OPERATION_TOO_COMPLEX');
}

function codeOf(error: { readonly extensions?: unknown }): unknown {
  const { extensions } = error;
  return typeof extensions === 'object' && extensions !== null && 'code' in extensions
    ? extensions.code
    : undefined;
}

function overheard(
  name: string,
  endpoint: SubgraphEndpoint,
  onFetch: (line: string) => void,
): SubgraphEndpoint {
  return {
    async execute(request, call) {
      const result = await endpoint.execute(request, call);
      onFetch(`${name} ${request.query} ${JSON.stringify(request.variables)}`);
      onFetch(`  -> ${JSON.stringify(result)}`);
      return result;
    },
    subscribe: (request, call) => endpoint.subscribe(request, call),
  };
}
