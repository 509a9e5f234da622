import {
  createSourceEventStream,
  type DocumentNode,
  execute,
  type GraphQLSchema,
  getOperationAST,
  OperationTypeNode,
} from 'graphql';
import { badUserInput } from '../errors/index.ts';
import { abortable, interruptible } from '../resilience/index.ts';
import type { GraphRequest, GraphResult } from './graph-call.ts';
import { parametersOf, type ResultShaper } from './results.ts';
import type { ContextSource } from './subgraph.ts';

export interface SubscriptionDeps {
  readonly schema: GraphQLSchema;
  readonly shaper: ResultShaper;
  /** Makes the resolvers' context anew. */
  readonly context: () => unknown;
  /** Tells the source that its subscriber has left. */
  readonly leave: () => void;
}

/** Opens a subscription's source and executes the operation for each of its events. */
export async function openSubscription(
  deps: SubscriptionDeps,
  { document, request, source }: SubscriptionRequest,
): Promise<AsyncIterable<GraphResult>> {
  const { schema, shaper, context, leave } = deps;
  const operation = getOperationAST(document, request.operationName);
  if (operation?.operation !== OperationTypeNode.SUBSCRIPTION) {
    throw badUserInput({ reason: 'Expected a subscription.' });
  }
  const contextValue = await context();
  const parameters = { schema, document, ...parametersOf(request) };
  const events = await createSourceEventStream({ ...parameters, contextValue });
  if (!(Symbol.asyncIterator in events)) return single(shaper.shaped(events));
  return interruptible((interrupted) => {
    interrupted.addEventListener('abort', leave, { once: true });
    return results(events);
  });

  /** Each event is an execution with a context of its own: loaders never serve what an earlier event saw. */
  async function* results(found: AsyncIterable<unknown>): AsyncGenerator<GraphResult, void, void> {
    const { signal } = source.request;
    const iterator = found[Symbol.asyncIterator]();
    try {
      while (!signal.aborted) {
        const next = await abortable(Promise.resolve(iterator.next()), signal);
        if (next.done) return;
        const fresh = await context();
        const rootValue = next.value;
        yield shaper.shaped(await execute({ ...parameters, rootValue, contextValue: fresh }));
      }
    } catch (error) {
      if (!signal.aborted) yield shaper.failed(error);
    } finally {
      // Not awaited: a source that ignores its signal may never come back.
      void Promise.resolve(iterator.return?.()).catch(() => {});
    }
  }
}

export interface SubscriptionRequest {
  readonly document: DocumentNode;
  readonly request: GraphRequest;
  readonly source: ContextSource;
}

/** An iteration of one result. */
export async function* single(result: GraphResult): AsyncGenerator<GraphResult, void, void> {
  yield result;
}
