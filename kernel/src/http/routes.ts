import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ErrorLog, maskError } from '../errors/index.ts';
import { json } from './messages.ts';

export type RouteParams = Readonly<Record<string, string>>;

export type Handler = (
  request: IncomingMessage,
  response: ServerResponse,
  params: RouteParams,
) => void | Promise<void>;

/** Keys are a method and a path; `:name` matches one segment: `{'GET /artifacts/:digest': handler}`. */
export type RouteTable = Readonly<Record<string, Handler>>;

/** Answers the request and says true, or leaves it alone and says false. */
export type Router = (request: IncomingMessage, response: ServerResponse) => boolean;

/** A thrown error leaves as JSON `{error: {code, message}}`, masked. A known path with another method is 405. */
export function routes(table: RouteTable, log: ErrorLog): Router {
  const entries = Object.entries(table).map(([key, handler]) => {
    const [method = '', path = ''] = key.split(' ');
    return { method, segments: path.split('/'), handler };
  });

  return (request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    const matching = entries.flatMap((entry) => {
      const params = matchPath(entry.segments, path.split('/'));
      return params ? [{ ...entry, params }] : [];
    });
    if (matching.length === 0) return false;
    const asked = request.method === 'HEAD' ? 'GET' : request.method;
    const found = matching.find(({ method }) => method === asked);
    if (found) {
      void answer(found.handler, { request, response, params: found.params, log });
    } else {
      const allow = matching.map(({ method }) => method).join(', ');
      const error = { code: 'METHOD_NOT_ALLOWED', message: 'This path has no such method.' };
      json(response, 405, { error }, { allow });
    }
    return true;
  };
}

async function answer(
  handler: Handler,
  exchange: {
    request: IncomingMessage;
    response: ServerResponse;
    params: RouteParams;
    log: ErrorLog;
  },
): Promise<void> {
  const { request, response, params, log } = exchange;
  try {
    await handler(request, response, params);
  } catch (error) {
    const { kind, message, details } = maskError(error, log);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const { retryAfterMs } = details;
    json(
      response,
      kind.status,
      { error: { code: kind.code, message } },
      {
        ...(kind.status === 413 && { connection: 'close' }),
        ...(typeof retryAfterMs === 'number' && {
          'retry-after': String(Math.ceil(retryAfterMs / 1000)),
        }),
      },
    );
  }
}

/** The parameters of a path that fits the pattern, segment by segment; `undefined` when it does not. */
export function matchPath(
  pattern: readonly string[],
  path: readonly string[],
): RouteParams | undefined {
  if (pattern.length !== path.length) return undefined;
  const params: Record<string, string> = {};
  for (const [at, part] of pattern.entries()) {
    const given = path[at] ?? '';
    if (part.startsWith(':')) {
      const value = decoded(given);
      if (value === undefined || value === '') return undefined;
      params[part.slice(1)] = value;
    } else if (part !== given) return undefined;
  }
  return params;
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
