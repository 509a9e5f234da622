import { execute, type GraphQLSchema } from 'graphql';
import { withLogContext } from '../log/index.ts';
import { withDeadline } from '../resilience/index.ts';
import { extractContext, withSpan } from '../telemetry/index.ts';
import { callerOf } from './caller.ts';
import { documentChecker } from './documents.ts';
import type { GraphRequest, GraphResult, SubgraphEndpoint } from './graph-call.ts';
import { operationMeter } from './operation-meter.ts';
import { parametersOf, resultShaper } from './results.ts';
import type { ContextSource, SubgraphOptions } from './subgraph.ts';
import { openSubscription, single } from './subscription.ts';

/** The subgraph as a function: checks the caller, the document, runs it within its deadline, masks what goes wrong. */
export function createEndpoint<Context>(
  schema: GraphQLSchema,
  options: SubgraphOptions<Context>,
): SubgraphEndpoint {
  const { name, verifier, logger, context, maxDepth = 20, timeoutMs = 30_000 } = options;
  const check = documentChecker(schema, { maxDepth });
  const measure = operationMeter(options);
  const shaper = resultShaper(logger);

  async function run(request: GraphRequest, source: ContextSource): Promise<GraphResult> {
    const { document, errors } = check(request.query);
    if (errors) return shaper.shaped({ errors });
    const work = async (signal: AbortSignal) => {
      const contextValue = await context(within(source, signal));
      return execute({ schema, document, contextValue, ...parametersOf(request) });
    };
    return shaper.shaped(await withDeadline(timeoutMs, work, source.request.signal));
  }

  return {
    execute(request, call) {
      const answer = async () => {
        try {
          const source = await callerOf(call, verifier);
          const { correlationId } = source.request;
          return await withLogContext({ correlationId }, () => run(request, source));
        } catch (error) {
          return shaper.failed(error);
        }
      };
      const span = `${name} ${request.operationName ?? 'operation'}`;
      return extractContext(call.headers, () =>
        measure(() => withSpan(span, { subgraph: name }, answer)),
      );
    },

    async subscribe(request, call) {
      const left = new AbortController();
      try {
        const signal = AbortSignal.any([call.signal, left.signal]);
        const source = within(await callerOf(call, verifier), signal);
        const { document, errors } = check(request.query);
        if (errors) return single(shaper.shaped({ errors }));
        const deps = {
          schema,
          shaper,
          context: () => context(source),
          leave: () => left.abort(),
        };
        return await openSubscription(deps, { document, request, source });
      } catch (error) {
        left.abort();
        return single(shaper.failed(error));
      }
    },
  };
}

function within(source: ContextSource, signal: AbortSignal): ContextSource {
  return { ...source, request: { ...source.request, signal } };
}
