import { CONTEXT_HEADER, type ContextSigner } from '@opea/kernel/auth';
import { maskError } from '@opea/kernel/errors';
import type { Logger } from '@opea/kernel/log';
import { injectContext, withSpan } from '@opea/kernel/telemetry';
import { answers } from '../errors.ts';
import type { Graph, GraphAnswer, GraphOperation } from '../graph.ts';
import type { Caller } from '../identity/caller.ts';
import type { Admitted } from './admission.ts';

/** One admitted operation on its way to the graph. */
export interface OperationCall {
  readonly admitted: Admitted;
  readonly caller: Caller;
  readonly correlationId: string;
  /** Aborted when nobody wants the answer any more, and here when it takes too long. */
  readonly life: AbortController;
}

/** Sends admitted operations to the graph; whatever is thrown may be shown to the caller. */
export interface Operations {
  /** A query or mutation. Throws DEADLINE_EXCEEDED after the request's time. */
  execute(call: OperationCall): Promise<GraphAnswer>;
  subscribe(call: OperationCall): Promise<AsyncIterable<GraphAnswer>>;
}

export function operations(options: {
  readonly graph: Graph;
  readonly signer: ContextSigner;
  readonly logger: Logger;
  /** How long a query or mutation may take. */
  readonly timeoutMs: number;
}): Operations {
  const { graph, signer, logger, timeoutMs } = options;

  return {
    async execute(call) {
      const { life } = call;
      const ended = new Promise<never>((_, reject) => {
        const stop = () => reject(asError(life.signal.reason));
        if (life.signal.aborted) stop();
        else life.signal.addEventListener('abort', stop, { once: true });
      });
      const timer = setTimeout(() => life.abort(answers.DEADLINE_EXCEEDED()), timeoutMs);
      try {
        return await Promise.race([
          spanned(call, () => graph.execute(toGraph(call, signer))),
          ended,
        ]);
      } catch (error) {
        throw maskError(error, logger);
      } finally {
        clearTimeout(timer);
      }
    },
    async subscribe(call) {
      try {
        return await spanned(call, () => graph.subscribe(toGraph(call, signer)));
      } catch (error) {
        throw maskError(error, logger);
      }
    },
  };
}

/** The part of the trace that is the router's; names follow OpenTelemetry's conventions for GraphQL. */
function spanned<Result>(
  { admitted }: OperationCall,
  work: () => Promise<Result>,
): Promise<Result> {
  const { operation, operationName } = admitted;
  const name =
    operationName === undefined ? operation.operation : `${operation.operation} ${operationName}`;
  const attributes = {
    'graphql.operation.type': operation.operation,
    'graphql.document.hash': admitted.known.hash,
    ...(operationName !== undefined && { 'graphql.operation.name': operationName }),
  };
  return withSpan(name, attributes, work);
}

function toGraph(call: OperationCall, signer: ContextSigner): GraphOperation {
  const { admitted, caller, correlationId, life } = call;
  const shared: Record<string, string> = { 'x-correlation-id': correlationId };
  injectContext(shared);
  return {
    document: admitted.known.document,
    query: admitted.known.query,
    operationName: admitted.operationName,
    variables: admitted.variables,
    signal: life.signal,
    headersFor: async (subgraph) =>
      caller.kind === 'anonymous'
        ? shared
        : {
            ...shared,
            [CONTEXT_HEADER]: await signer.mint(caller.viewer, `opea:${subgraph}`),
          },
  };
}

const asError = (reason: unknown): Error =>
  reason instanceof Error ? reason : new Error('aborted', { cause: reason });
