import type { IncomingMessage, ServerResponse } from 'node:http';
import { createHandler } from 'graphql-http';
import { type Handler, json, readBody } from '../http/index.ts';
import { flatHeaders } from './flat-headers.ts';
import type { GraphRequest, GraphResult, SubgraphEndpoint } from './graph-call.ts';
import type { SubgraphOptions } from './subgraph.ts';

/** How many milliseconds a caller still waits; the subgraph stops at the shorter of this and its own deadline. */
export const TIMEOUT_HEADER = 'x-opea-timeout-ms';

const graphqlType = 'application/graphql-response+json';

/** `POST /graphql` by the GraphQL over HTTP specification: graphql-http reads the request, the endpoint runs it. */
export function graphqlOverHttp<Context>(
  endpoint: SubgraphEndpoint,
  { maxBodyBytes = 1024 * 1024 }: SubgraphOptions<Context>,
): Handler {
  const handle = createHandler<IncomingMessage, { readonly signal: AbortSignal }>({
    async onSubscribe(request, { query, variables, operationName }) {
      const asked: GraphRequest = {
        query,
        ...(variables && { variables }),
        ...(operationName && { operationName }),
      };
      const headers = flatHeaders(request.raw.headers);
      const result = await endpoint.execute(asked, { headers, signal: request.context.signal });
      return answer(result, headers['accept'] ?? '');
    },
  });

  return async (request, response) => {
    const signal = callSignal(request, response);
    const body = await readBody(request, maxBodyBytes, signal);
    const [text, init] = await handle({
      method: request.method ?? 'POST',
      url: request.url ?? '/',
      headers: request.headers,
      body: body.toString('utf8'),
      raw: request,
      context: { signal },
    });
    if (text === null) json(response, init.status, { errors: [{ message: init.statusText }] });
    else response.writeHead(init.status, init.statusText, init.headers).end(text);
  };
}

function answer(result: GraphResult, accept: string) {
  const strict = accept.includes(graphqlType);
  const status = strict && result.data === undefined ? statusOf(result) : 200;
  const type = strict ? graphqlType : 'application/json';
  return [
    JSON.stringify(result),
    { status, statusText: '', headers: { 'content-type': `${type}; charset=utf-8` } },
  ] satisfies [string, { status: number; statusText: string; headers: Record<string, string> }];
}

/** Only a request that could not run at all has a status of its own. */
function statusOf({ errors = [] }: GraphResult): number {
  switch (errors[0]?.extensions?.['code']) {
    case 'UNAUTHENTICATED':
      return 401;
    case 'INTERNAL_ERROR':
      return 500;
    case 'UNAVAILABLE':
      return 503;
    case 'DEADLINE_EXCEEDED':
      return 504;
    default:
      return 400;
  }
}

/** Aborts when the caller hangs up before its answer, or when the time it gave is over. */
function callSignal(request: IncomingMessage, response: ServerResponse): AbortSignal {
  const aborter = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) aborter.abort();
  });
  const waits = Number(request.headers[TIMEOUT_HEADER]);
  if (!Number.isFinite(waits) || waits <= 0) return aborter.signal;
  return AbortSignal.any([aborter.signal, AbortSignal.timeout(Math.min(waits, 600_000))]);
}
