import { unavailable } from '@opea/kernel/errors';
import type { GraphCall, GraphRequest, GraphResult } from '@opea/kernel/subgraph';
import { type Client, createClient } from 'graphql-ws';
import { WebSocket } from 'ws';

export interface SocketSourceOptions {
  /** `ws:` or `wss:`. */
  readonly url: string;
  /** Size of one message. @default 10 MiB */
  readonly maxMessageBytes?: number | undefined;
  /** How long a socket without subscriptions stays open. @default 5_000 */
  readonly idleMs?: number;
}

/** Subscriptions of a subgraph over WebSocket (graphql-transport-ws). */
export interface SocketSource extends AsyncDisposable {
  subscribe(request: GraphRequest, call: GraphCall): Promise<AsyncIterable<GraphResult>>;
}

/**
 * One socket per set of headers, shared by the subscriptions that carry the same. The headers go in
 * the handshake and in `connection_init`, so that a subgraph may read either.
 */
export function socketSource(options: SocketSourceOptions): SocketSource {
  const { url, maxMessageBytes = 10 * 1024 * 1024, idleMs = 5_000 } = options;
  const clients = new Map<string, { readonly client: Client; open: number }>();

  function clientFor(headers: Readonly<Record<string, string>>) {
    const key = JSON.stringify(Object.entries(headers).toSorted(([a], [b]) => (a < b ? -1 : 1)));
    const known = clients.get(key);
    if (known) return { key, held: known };
    class SubgraphSocket extends WebSocket {
      constructor(address: string, protocols: string[]) {
        super(address, protocols, { headers, maxPayload: maxMessageBytes });
      }
    }
    const client = createClient({
      url,
      webSocketImpl: SubgraphSocket,
      connectionParams: { ...headers },
      lazy: true,
      lazyCloseTimeout: idleMs,
      retryAttempts: 0,
    });
    const held = { client, open: 0 };
    clients.set(key, held);
    return { key, held };
  }

  return {
    async subscribe(request, { headers, signal }) {
      const { key, held } = clientFor(headers);
      held.open += 1;
      const release = () => {
        held.open -= 1;
        if (held.open > 0) return;
        clients.delete(key);
        void held.client.dispose();
      };
      return iterate(held.client, request, signal, release);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...clients.values()].map(async ({ client }) => client.dispose()));
      clients.clear();
    },
  };
}

async function* iterate(
  client: Client,
  request: GraphRequest,
  signal: AbortSignal,
  release: () => void,
): AsyncGenerator<GraphResult> {
  const events = client.iterate({
    query: request.query,
    ...(request.variables ? { variables: { ...request.variables } } : {}),
    ...(request.operationName === undefined ? {} : { operationName: request.operationName }),
  });
  const end = () => void events.return?.();
  signal.addEventListener('abort', end, { once: true });
  try {
    if (signal.aborted) return;
    for await (const event of events) {
      yield {
        ...(event.data === undefined ? {} : { data: event.data }),
        ...(event.errors ? { errors: event.errors.map(plainError) } : {}),
      };
    }
  } catch (error) {
    if (signal.aborted) return;
    if (Array.isArray(error)) {
      yield { errors: error.map(plainError) };
      return;
    }
    throw unavailable({ retryAfterMs: 1_000 }, error);
  } finally {
    signal.removeEventListener('abort', end);
    release();
  }
}

function plainError(error: {
  readonly message: string;
  readonly path?: readonly (string | number)[] | undefined;
  readonly extensions?: object | undefined;
}) {
  return {
    message: error.message,
    ...(error.path ? { path: error.path } : {}),
    ...(error.extensions ? { extensions: { ...error.extensions } } : {}),
  };
}
