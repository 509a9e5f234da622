import {
  buildSchema,
  type ExecutionResult,
  execute,
  type GraphQLError,
  type GraphQLSchema,
  subscribe,
} from 'graphql';
import type { Graph, GraphAnswer, GraphOperation } from '../graph.ts';

export type Resolver = (
  args: Readonly<Record<string, unknown>>,
  context: { readonly request: GraphOperation },
) => unknown;

/** A graph over one local schema: the front's tests need answers, not a federation. */
export function localGraph(options: {
  readonly sdl: string;
  readonly resolvers: Readonly<Record<string, Resolver>>;
}): Graph {
  const apiSchema: GraphQLSchema = buildSchema(options.sdl);
  const args = (request: GraphOperation) => ({
    schema: apiSchema,
    document: request.document,
    rootValue: options.resolvers,
    contextValue: { request },
    variableValues: request.variables,
    operationName: request.operationName ?? null,
  });
  return {
    apiSchema,
    async execute(request) {
      return answerFrom(await execute(args(request)));
    },
    async subscribe(request) {
      const result = await subscribe(args(request));
      if (Symbol.asyncIterator in result) return mapped(result);
      return (async function* () {
        yield answerFrom(result);
      })();
    },
    async [Symbol.asyncDispose]() {},
  };
}

async function answerStep(
  step: Promise<IteratorResult<ExecutionResult>>,
): Promise<IteratorResult<GraphAnswer>> {
  const { done, value } = await step;
  return done ? { done, value } : { done: false, value: answerFrom(value) };
}

/** Written out: a generator's `return` would wait for the event it is waiting for. */
function mapped(results: AsyncGenerator<ExecutionResult>): AsyncIterable<GraphAnswer> {
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => answerStep(results.next()),
      return: () => answerStep(results.return(undefined)),
    }),
  };
}

const answerFrom = ({ data, errors }: ExecutionResult): GraphAnswer => ({
  ...(data !== undefined && { data }),
  ...(errors !== undefined && { errors: errors.map((error: GraphQLError) => error.toJSON()) }),
});
