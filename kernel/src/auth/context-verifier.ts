import { type CryptoKey, createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { type Clock, instantOf } from '../clock/index.ts';
import { unauthenticated } from '../errors/index.ts';
import { roles, type Viewer } from './viewer.ts';

export interface VerifiedContext extends Viewer {
  readonly correlationId: string | undefined;
}

export interface ContextVerifier {
  /** Who the token speaks for. Throws UNAUTHENTICATED for anything that is not exactly a live token for us. */
  verify(token: string | undefined): Promise<VerifiedContext>;
}

export type ContextVerifierOptions = {
  readonly issuer?: string;
  readonly audience: string;
  readonly clock: Clock;
} & ({ readonly publicKey: CryptoKey } | { readonly jwks: JSONWebKeySet });

const claims = z.object({
  sub: z.string().min(1),
  tenant: z.string().min(1),
  name: z.string(),
  kind: z.enum(['USER', 'SERVICE']),
  roles: z.array(z.enum(roles)),
  scopes: z.array(z.string()),
  until: z.number().optional(),
  cid: z.string().optional(),
  exp: z.number(),
});

/** Strict on purpose: EdDSA only, type, issuer, audience and expiry demanded, base64url in canonical form (RFC 7515). */
export function contextVerifier(options: ContextVerifierOptions): ContextVerifier {
  const { issuer = 'opea:router', audience, clock } = options;
  const verified = new LRUCache<string, { expiresMs: number; context: VerifiedContext }>({
    max: 10_000,
  });
  const rules = {
    algorithms: ['EdDSA'],
    typ: 'opea-context+jwt',
    issuer,
    audience,
    requiredClaims: ['sub', 'iat', 'exp'],
  };
  const keySet = 'jwks' in options ? createLocalJWKSet(options.jwks) : undefined;
  const check = (token: string, currentDate: Date) =>
    'publicKey' in options
      ? jwtVerify(token, options.publicKey, { ...rules, currentDate })
      : keySet
        ? jwtVerify(token, keySet, { ...rules, currentDate })
        : Promise.reject(new Error('No key'));

  return {
    async verify(token) {
      if (token === undefined || !isCanonical(token)) throw unauthenticated({});
      const now = clock();
      const known = verified.get(token);
      if (known && known.expiresMs > now.getTime()) return known.context;
      try {
        const { payload } = await check(token, now);
        const { exp, ...rest } = claims.parse(payload);
        const context = contextOf(rest);
        verified.set(token, { expiresMs: exp * 1000, context });
        return context;
      } catch (error) {
        throw unauthenticated({}, error);
      }
    },
  };
}

function contextOf({
  sub,
  cid,
  until,
  ...rest
}: Omit<z.output<typeof claims>, 'exp'>): VerifiedContext {
  return {
    ...rest,
    id: sub,
    roles: new Set(rest.roles),
    scopes: new Set(rest.scopes),
    correlationId: cid,
    ...(until !== undefined && { expiresAt: instantOf(until) }),
  };
}

function isCanonical(token: string): boolean {
  const parts = token.split('.');
  return (
    token.length <= 8192 &&
    parts.length === 3 &&
    parts.every(
      (part) => part !== '' && Buffer.from(part, 'base64url').toString('base64url') === part,
    )
  );
}
