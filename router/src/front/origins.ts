import type { IncomingMessage } from 'node:http';

/** Whether a browser's page may speak to the router: our own pages, and those listed. */
export interface Origins {
  /** True without an Origin header: then no browser is asking on behalf of a page. */
  allows(request: IncomingMessage): boolean;
  /** Headers that let an allowed page of another origin read the answer. */
  corsHeaders(request: IncomingMessage): Readonly<Record<string, string>>;
}

/** Origins are compared whole: no suffix, no pattern, never `null`. */
export function originPolicy(allowed: readonly string[]): Origins {
  const listed = new Set(allowed);
  return {
    allows(request) {
      const { origin, host } = request.headers;
      if (origin === undefined) return true;
      return listed.has(origin) || origin === `http://${host}` || origin === `https://${host}`;
    },
    corsHeaders(request) {
      const { origin } = request.headers;
      if (origin === undefined || !listed.has(origin)) return {};
      return {
        'access-control-allow-origin': origin,
        'access-control-allow-methods': 'GET, POST, PUT, DELETE',
        'access-control-allow-headers':
          'authorization, content-type, x-api-key, x-correlation-id, apollo-require-preflight, x-graphql-event-stream-token',
        'access-control-max-age': '600',
        vary: 'origin',
      };
    },
  };
}
