import type { IncomingMessage } from 'node:http';
import { type ExecutionResult, GraphQLError, type GraphQLSchema, parse } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { CONTEXT_HEADER } from '../auth/index.ts';
import type { UpgradeListener } from '../http/index.ts';
import { interruptible } from '../resilience/index.ts';
import { flatHeaders } from './flat-headers.ts';
import type { GraphCall, GraphRequest, GraphResult, SubgraphEndpoint } from './graph-call.ts';
import type { SubgraphOptions } from './subgraph.ts';

interface Work {
  readonly request: GraphRequest;
  readonly call: GraphCall;
}

/** graphql-transport-ws. The signed context comes in the upgrade's header, in `connection_init`, or in an operation's `extensions`. */
export function graphqlOverWebSocket<Context>(
  schema: GraphQLSchema,
  endpoint: SubgraphEndpoint,
  { maxBodyBytes = 1024 * 1024, maxSubscriptions = 1_000 }: SubgraphOptions<Context>,
): { readonly onUpgrade: UpgradeListener } & AsyncDisposable {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: maxBodyBytes,
    handleProtocols: (offered) => (offered.has(protocol) ? protocol : false),
  });
  const running = new WeakMap<object, Map<string, AbortController>>();

  const server = useServer<Record<string, unknown>, { readonly request: IncomingMessage }>(
    {
      schema,
      connectionInitWaitTimeout: 3_000,
      onSubscribe(connection, id, { query, variables, operationName, extensions }) {
        const operations = running.get(connection.extra) ?? new Map<string, AbortController>();
        running.set(connection.extra, operations);
        if (operations.size >= maxSubscriptions) {
          return [new GraphQLError('Too many operations on this connection.')];
        }
        const aborter = new AbortController();
        operations.set(id, aborter);
        const work: Work = {
          request: {
            query,
            ...(variables && { variables }),
            ...(operationName && { operationName }),
          },
          call: {
            headers: {
              ...flatHeaders(connection.extra.request.headers),
              ...texts(connection.connectionParams),
              ...texts(extensions),
            },
            signal: aborter.signal,
          },
        };
        const document = parsed(query);
        if (document instanceof GraphQLError) return [document];
        return { schema, document, operationName: operationName ?? null, contextValue: work };
      },
      onComplete({ extra }, id) {
        running.get(extra)?.get(id)?.abort();
        running.get(extra)?.delete(id);
      },
      onError({ extra }, id) {
        running.get(extra)?.delete(id);
      },
      onDisconnect({ extra }) {
        for (const aborter of running.get(extra)?.values() ?? []) aborter.abort();
        running.delete(extra);
      },
      execute: ({ contextValue }) =>
        endpoint.execute(workOf(contextValue).request, workOf(contextValue).call).then(asExecution),
      subscribe: async ({ contextValue }) => {
        const { request, call } = workOf(contextValue);
        return executions(await endpoint.subscribe(request, call));
      },
    },
    sockets,
  );

  return {
    onUpgrade(request, socket, head) {
      if (new URL(request.url ?? '/', 'http://localhost').pathname !== '/graphql') {
        socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
        return;
      }
      sockets.handleUpgrade(request, socket, head, (webSocket) => {
        sockets.emit('connection', webSocket, request);
      });
    },
    async [Symbol.asyncDispose]() {
      await server.dispose();
    },
  };
}

const protocol = 'graphql-transport-ws';

function workOf(value: unknown): Work {
  if (isWork(value)) return value;
  throw new Error('An operation lost its caller');
}

function isWork(value: unknown): value is Work {
  return typeof value === 'object' && value !== null && 'request' in value && 'call' in value;
}

/** Only the headers that concern the platform; a client's init payload may hold anything. */
function texts(payload: Readonly<Record<string, unknown>> | null | undefined) {
  const names = [CONTEXT_HEADER, 'x-correlation-id', 'traceparent'];
  const found: Record<string, string> = {};
  for (const name of names) {
    const value = payload?.[name];
    if (typeof value === 'string') found[name] = value;
  }
  return found;
}

function parsed(query: string) {
  try {
    return parse(query, { maxTokens: 20_000 });
  } catch (error) {
    if (error instanceof GraphQLError) return error;
    throw error;
  }
}

function executions(results: AsyncIterable<GraphResult>): AsyncGenerator<ExecutionResult, void> {
  const iterator = results[Symbol.asyncIterator]();
  return interruptible(async function* translate(signal) {
    signal.addEventListener('abort', () => void iterator.return?.(), { once: true });
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
      yield asExecution(next.value);
    }
  });
}

function asExecution({ data, errors, extensions }: GraphResult): ExecutionResult {
  return {
    ...(data !== undefined && { data }),
    ...(errors && {
      errors: errors.map(
        ({ message, path, extensions: own }) =>
          new GraphQLError(message, { path: path ?? null, extensions: own ?? null }),
      ),
    }),
    ...(extensions && { extensions }),
  };
}
