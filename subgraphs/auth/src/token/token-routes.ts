import type { IncomingMessage } from 'node:http';
import { CONTEXT_HEADER, type ContextVerifier } from '@opea/kernel/auth';
import type { Clock } from '@opea/kernel/clock';
import { badUserInput, unauthenticated } from '@opea/kernel/errors';
import { json, type RouteTable, readBody } from '@opea/kernel/http';
import { z } from 'zod';
import type { ExchangedKey, IdentityProvider } from './identity.ts';

export interface TokenRouteOptions {
  readonly identity: IdentityProvider;
  readonly verifier: ContextVerifier;
  readonly clock: Clock;
}

/**
 * `POST /auth/token` answers like RFC 6749 section 5.1. The key comes as `authorization: Bearer opea_…`, as `x-api-key`, or in
 * the JSON body as `{"apiKey": …}`; behind the router, which verified it, as the signed context. `GET /auth/jwks.json`: RFC 7517.
 */
export function tokenRoutes({ identity, verifier, clock }: TokenRouteOptions): RouteTable {
  return {
    'POST /auth/token': async (request, response) => {
      const { token, expiresAt } = await exchanged(request, { identity, verifier });
      const remainingMs = expiresAt.getTime() - clock().getTime();
      json(response, 200, {
        access_token: token,
        token_type: 'Bearer',
        expires_in: Math.max(0, Math.floor(remainingMs / 1000)),
      });
    },
    'GET /auth/jwks.json': async (_request, response) => {
      json(response, 200, await identity.jwks(), {
        'content-type': 'application/jwk-set+json',
        'cache-control': 'public, max-age=60',
      });
    },
  };
}

async function exchanged(
  request: IncomingMessage,
  { identity, verifier }: Pick<TokenRouteOptions, 'identity' | 'verifier'>,
): Promise<ExchangedKey> {
  const context = request.headers[CONTEXT_HEADER];
  if (typeof context === 'string') return identity.renew(await verifier.verify(context));
  const key = keyInHeaders(request) ?? (await keyInBody(request));
  if (key === undefined) throw unauthenticated({});
  return identity.exchange(key);
}

function keyInHeaders({ headers }: IncomingMessage): string | undefined {
  const { authorization, 'x-api-key': apiKey } = headers;
  if (typeof apiKey === 'string') return apiKey;
  return authorization === undefined ? undefined : /^Bearer (\S+)$/i.exec(authorization)?.[1];
}

const body = z.object({ apiKey: z.string() });

async function keyInBody(request: IncomingMessage): Promise<string | undefined> {
  const bytes = await readBody(request, 4_096);
  if (bytes.length === 0) return undefined;
  const parsed = body.safeParse(parsedJson(bytes.toString('utf8')));
  if (!parsed.success) throw badUserInput({ reason: 'Expected {"apiKey": "opea_…"}.' });
  return parsed.data.apiKey;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
