import {
  createSourceEventStream,
  type ExecutionResult,
  execute,
  type GraphQLSchema,
  getOperationAST,
  OperationTypeNode,
} from 'graphql';
import { badUserInput } from '../errors/index.ts';
import { withLogContext } from '../log/index.ts';
import { abortable, interruptible, withDeadline } from '../resilience/index.ts';
import { extractContext, withSpan } from '../telemetry/index.ts';
import { callerOf } from './caller.ts';
import { documentChecker } from './documents.ts';
import type { GraphRequest, GraphResult, SubgraphEndpoint } from './graph-call.ts';
import { maskedFailure } from './masked-error.ts';
import type { ContextSource, SubgraphOptions } from './subgraph.ts';

/** The subgraph as a function: checks the caller, the document, runs it within its deadline, masks what goes wrong. */
export function createEndpoint<Context>(
  schema: GraphQLSchema,
  options: SubgraphOptions<Context>,
): SubgraphEndpoint {
  const { name, verifier, logger, context, maxDepth = 20, timeoutMs = 30_000 } = options;
  const check = documentChecker(schema, { maxDepth });
  const measure = operationMeter(options);

  return {
    execute: (request, call) =>
      extractContext(call.headers, () =>
        measure(() =>
          withSpan(`${name} ${request.operationName ?? 'operation'}`, { subgraph: name }, () =>
            answered(async () => {
              const source = await callerOf(call, verifier);
              return withLogContext({ correlationId: source.request.correlationId }, () =>
                run(request, source),
              );
            }),
          ),
        ),
      ),

    async subscribe(request, call) {
      const left = new AbortController();
      try {
        const signal = AbortSignal.any([call.signal, left.signal]);
        const source = within(await callerOf(call, verifier), signal);
        const events = await open(request, source);
        if (!(Symbol.asyncIterator in events)) return single(shaped(events));
        return interruptible((interrupted) => {
          interrupted.addEventListener('abort', () => left.abort(), { once: true });
          return results(request, source, events);
        });
      } catch (error) {
        left.abort();
        return single(failed(error));
      }
    },
  };

  async function run(request: GraphRequest, source: ContextSource): Promise<GraphResult> {
    const { document, errors } = check(request.query);
    if (errors) return shaped({ errors });
    return withDeadline(
      timeoutMs,
      async (signal) => {
        const contextValue = await context(within(source, signal));
        return shaped(await execute({ schema, document, contextValue, ...parameters(request) }));
      },
      source.request.signal,
    );
  }

  async function open(request: GraphRequest, source: ContextSource) {
    const { document, errors } = check(request.query);
    if (errors) return { errors };
    if (
      getOperationAST(document, request.operationName)?.operation !== OperationTypeNode.SUBSCRIPTION
    ) {
      throw badUserInput({ reason: 'Expected a subscription.' });
    }
    const contextValue = await context(source);
    return createSourceEventStream({ schema, document, contextValue, ...parameters(request) });
  }

  /** Each event is an execution of its own, with a context of its own: loaders never serve what an earlier event saw. */
  async function* results(
    request: GraphRequest,
    source: ContextSource,
    events: AsyncIterable<unknown>,
  ): AsyncGenerator<GraphResult, void, void> {
    const { signal } = source.request;
    const { document } = check(request.query);
    if (!document) return;
    const iterator = events[Symbol.asyncIterator]();
    try {
      while (!signal.aborted) {
        const next = await abortable(Promise.resolve(iterator.next()), signal);
        if (next.done) return;
        const contextValue = await context(source);
        const rootValue = next.value;
        yield shaped(
          await execute({ schema, document, rootValue, contextValue, ...parameters(request) }),
        );
      }
    } catch (error) {
      if (!signal.aborted) yield failed(error);
    } finally {
      // Not awaited: a source that ignores its signal may never come back.
      void Promise.resolve(iterator.return?.()).catch(() => {});
    }
  }

  async function answered(work: () => Promise<GraphResult>): Promise<GraphResult> {
    try {
      return await work();
    } catch (error) {
      return failed(error);
    }
  }

  function failed(error: unknown): GraphResult {
    return { errors: [maskedFailure(error, logger)] };
  }

  function shaped({ data, errors, extensions }: ExecutionResult): GraphResult {
    return {
      ...(data !== undefined && { data }),
      ...(errors && { errors: errors.map((error) => maskedFailure(error, logger)) }),
      ...(extensions && { extensions }),
    };
  }
}

function parameters({ variables, operationName }: GraphRequest) {
  return {
    variableValues: variables ?? null,
    operationName: operationName ?? null,
  };
}

function within(source: ContextSource, signal: AbortSignal): ContextSource {
  return { ...source, request: { ...source.request, signal } };
}

async function* single(result: GraphResult): AsyncGenerator<GraphResult, void, void> {
  yield result;
}

function operationMeter<Context>({ name, metrics }: SubgraphOptions<Context>) {
  const seconds = metrics.histogram({
    name: 'opea_subgraph_operation_seconds',
    help: 'Time to answer an operation, by subgraph and outcome (ok, or the first error code).',
    labels: ['subgraph', 'outcome'],
  });
  return async (work: () => Promise<GraphResult>): Promise<GraphResult> => {
    const end = seconds.startTimer({ subgraph: name });
    const result = await work();
    const code = result.errors?.[0]?.extensions?.['code'];
    end({ outcome: result.errors ? (typeof code === 'string' ? code : 'ERROR') : 'ok' });
    return result;
  };
}
