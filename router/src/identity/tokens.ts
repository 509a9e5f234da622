import { roles, type Viewer } from '@opea/kernel/auth';
import type { Clock } from '@opea/kernel/clock';
import { instantOf } from '@opea/kernel/clock';
import { createLocalJWKSet, decodeProtectedHeader, errors, jwtVerify } from 'jose';
import { z } from 'zod';
import { answers } from '../errors.ts';
import type { IdentityProvider } from './provider.ts';

export interface VerifiedToken {
  readonly viewer: Viewer;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  readonly id: string;
}

export interface TokenVerifier {
  /** Throws UNAUTHENTICATED for anything but a live token of ours. */
  verify(token: string): Promise<VerifiedToken>;
}

export interface TokenVerifierOptions {
  readonly provider: Pick<IdentityProvider, 'jwks'>;
  readonly issuer: string;
  readonly audience: string;
  readonly algorithms: readonly string[];
  readonly clock: Clock;
  /** Least time between two fetches of the keys, so that unknown key ids cannot flood the provider. */
  readonly jwksCooldownMs?: number;
}

const claims = z.object({
  sub: z.string().min(1),
  jti: z.string().min(1),
  iat: z.number(),
  exp: z.number(),
  tenant: z.string().min(1),
  name: z.string(),
  kind: z.enum(['USER', 'SERVICE']),
  roles: z.array(z.enum(roles)),
  scopes: z.array(z.string()).default([]),
});

/**
 * Verifies access tokens (RFC 9068) by RFC 8725: allow-listed algorithms, key by id from our own set, issuer, audience,
 * lifetime and id demanded, canonical base64url only (jose alone would accept other spellings).
 */
export function tokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const { issuer, audience, clock } = options;
  const keys = keySet(options);
  const rules = {
    issuer,
    audience,
    typ: 'at+jwt',
    algorithms: [...options.algorithms],
    requiredClaims: ['sub', 'jti', 'iat', 'exp'],
  };

  return {
    async verify(token) {
      if (!isCanonical(token) || !hasPlainHeader(token)) throw answers.UNAUTHENTICATED();
      try {
        const { payload } = await jwtVerify(token, keys, { ...rules, currentDate: clock() });
        const { sub, jti, iat, exp, ...rest } = claims.parse(payload);
        const expiresAt = instantOf(exp * 1000);
        return {
          id: jti,
          issuedAt: instantOf(iat * 1000),
          expiresAt,
          viewer: {
            ...rest,
            id: sub,
            roles: new Set(rest.roles),
            scopes: new Set(rest.scopes),
            expiresAt,
          },
        };
      } catch (error) {
        if (error instanceof KeysUnavailable) throw answers.UNAVAILABLE({}, error);
        throw answers.UNAUTHENTICATED({}, error);
      }
    },
  };
}

class KeysUnavailable extends Error {}

type LocalKeySet = ReturnType<typeof createLocalJWKSet>;
type FindKey = (...args: Parameters<LocalKeySet>) => ReturnType<LocalKeySet>;

/** Keys fetched once; again for an unknown key id, but never more often than the cool-down. */
function keySet({ provider, clock, jwksCooldownMs = 30_000 }: TokenVerifierOptions): FindKey {
  let known: FindKey | undefined;
  let fetching: Promise<void> | undefined;
  let fetchedAt = Number.NEGATIVE_INFINITY;

  const refresh = async () => {
    if (clock().getTime() - fetchedAt < jwksCooldownMs) return;
    fetching ??= (async () => {
      try {
        fetchedAt = clock().getTime();
        const set = await provider.jwks();
        known = createLocalJWKSet({ keys: set.keys.slice(0, 20) });
      } catch (error) {
        // Keys that were good stay good while the provider is away; without any, the next may ask.
        if (known === undefined) {
          fetchedAt = Number.NEGATIVE_INFINITY;
          throw new KeysUnavailable('No keys', { cause: error });
        }
      } finally {
        fetching = undefined;
      }
    })();
    await fetching;
  };

  return async (header, token) => {
    if (known === undefined) await refresh();
    if (known === undefined) throw new KeysUnavailable('No keys');
    try {
      return await known(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await refresh();
      return known(header, token);
    }
  };
}

function isCanonical(token: string): boolean {
  const parts = token.split('.');
  return (
    parts.length === 3 &&
    parts.every(
      (part) => part !== '' && Buffer.from(part, 'base64url').toString('base64url') === part,
    )
  );
}

/** Only `alg`, `kid` and `typ`: headers that bring keys, addresses or extensions are refused. */
function hasPlainHeader(token: string): boolean {
  try {
    const { alg, kid, typ, ...rest } = decodeProtectedHeader(token);
    const named = typeof alg === 'string' && typeof kid === 'string' && typeof typ === 'string';
    return named && Object.keys(rest).length === 0;
  } catch {
    return false;
  }
}
