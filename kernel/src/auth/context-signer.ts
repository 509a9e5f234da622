import { type CryptoKey, SignJWT } from 'jose';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock/index.ts';
import type { Viewer } from './viewer.ts';

/** The header in which the router tells a subgraph who is asking. */
export const CONTEXT_HEADER = 'x-opea-context';

export interface ContextSigner {
  /** A token for one audience (`opea:registry`). The same viewer and audience share a token for half its life. */
  mint(
    viewer: Viewer,
    audience: string,
    extra?: { readonly correlationId?: string },
  ): Promise<string>;
}

export interface ContextSignerOptions {
  readonly privateKey: CryptoKey;
  readonly kid?: string;
  readonly issuer?: string;
  /** How long a token lives; it never outlives the viewer's own credential. */
  readonly ttlMs?: number;
  readonly clock: Clock;
}

/** Mints short-lived EdDSA tokens of type `opea-context+jwt`. */
export function contextSigner({
  privateKey,
  kid,
  issuer = 'opea:router',
  ttlMs = 60_000,
  clock,
}: ContextSignerOptions): ContextSigner {
  const minted = new LRUCache<string, { freshUntil: number; token: Promise<string> }>({
    max: 10_000,
  });

  return {
    mint(viewer, audience, { correlationId } = {}) {
      const now = clock().getTime();
      const key = JSON.stringify([audience, correlationId ?? null, claimsOf(viewer), viewer.id]);
      const known = minted.get(key);
      if (known && known.freshUntil > now) return known.token;

      const expires = Math.min(
        now + ttlMs,
        viewer.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY,
      );
      const token = new SignJWT({
        ...claimsOf(viewer),
        ...(correlationId && { cid: correlationId }),
      })
        .setProtectedHeader({ alg: 'EdDSA', typ: 'opea-context+jwt', ...(kid && { kid }) })
        .setSubject(viewer.id)
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt(Math.floor(now / 1000))
        .setExpirationTime(Math.floor(expires / 1000))
        .sign(privateKey);
      minted.set(key, { freshUntil: Math.min(now + ttlMs / 2, expires), token });
      token.catch(() => minted.delete(key));
      return token;
    },
  };
}

function claimsOf(viewer: Viewer) {
  return {
    tenant: viewer.tenant,
    name: viewer.name,
    kind: viewer.kind,
    roles: [...viewer.roles],
    scopes: [...viewer.scopes],
    ...(viewer.expiresAt && { until: viewer.expiresAt.getTime() }),
  };
}
