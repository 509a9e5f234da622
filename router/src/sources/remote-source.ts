import type { SubgraphEndpoint } from '@opea/kernel/subgraph';

import { httpSource } from './http-source.ts';
import { socketSource } from './socket-source.ts';

export interface RemoteSourceOptions {
  /** `http:` or `https:`; subscriptions use the same address with `ws:` or `wss:`. */
  readonly url: string;
  readonly maxAnswerBytes?: number | undefined;
  readonly connections?: number;
}

/** A subgraph behind the network: HTTP for questions, WebSocket for subscriptions. */
export function remoteSource(options: RemoteSourceOptions): SubgraphEndpoint & AsyncDisposable {
  const { url, maxAnswerBytes, connections } = options;
  const http = httpSource({ url, maxAnswerBytes, connections });
  const sockets = socketSource({
    url: url.replace(/^http/, 'ws'),
    maxMessageBytes: maxAnswerBytes,
  });
  return {
    execute: http.execute,
    subscribe: sockets.subscribe,
    async [Symbol.asyncDispose]() {
      await Promise.all([http[Symbol.asyncDispose](), sockets[Symbol.asyncDispose]()]);
    },
  };
}
