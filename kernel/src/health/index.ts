import { json, type RouteTable } from '../http/index.ts';

/** One thing a service needs, and whether it is there. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail?: string;
}

/** `/health/live`: the process answers. `/health/ready`: 200 when every check is ok, otherwise 503 with the checks. */
export function healthRoutes({
  ready,
}: {
  readonly ready: () => Promise<readonly Check[]>;
}): RouteTable {
  return {
    'GET /health/live': (_request, response) => json(response, 200, { status: 'ok' }),
    'GET /health/ready': async (_request, response) => {
      const checks = await ready();
      const ok = checks.every((check) => check.ok);
      json(response, ok ? 200 : 503, { status: ok ? 'ok' : 'unavailable', checks });
    },
  };
}
