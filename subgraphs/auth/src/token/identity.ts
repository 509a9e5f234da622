import type { Viewer } from '@opea/kernel/auth';
import { type Clock, instantOf } from '@opea/kernel/clock';
import { unauthenticated } from '@opea/kernel/errors';
import type { Database } from '@opea/kernel/postgres';
import type { JSONWebKeySet } from 'jose';
import { type Kysely, sql } from 'kysely';
import { findPresentedKey, markUsed } from '../api-key/api-key-store.ts';
import { hashOfKey, type KeyFormat } from '../api-key/key-format.ts';
import { findPrincipals, type PrincipalSource } from '../principal/principal-store.ts';
import type { Tables } from '../tables.ts';
import type { KeyRing } from './key-ring.ts';
import type { IssuedToken, TokenIssuer } from './token-issuer.ts';

export interface ExchangedKey extends IssuedToken {
  readonly viewer: Viewer;
}

export interface IdentityProvider {
  /**
   * A token for the owner of a live key. Throws UNAUTHENTICATED for every other text, always with the same work behind it:
   * only a key that is not even written like one is refused without asking the store.
   */
  exchange(apiKey: string): Promise<ExchangedKey>;
  /** A fresh token for somebody the router has verified; ends no later than what they showed. */
  renew(viewer: Viewer): Promise<ExchangedKey>;
  /** The public keys that tokens are verified with. */
  jwks(): Promise<JSONWebKeySet>;
}

export interface IdentityOptions {
  readonly database: Database<Tables>;
  readonly keyRing: KeyRing;
  readonly tokens: TokenIssuer;
  readonly format: KeyFormat;
  readonly clock: Clock;
}

export function identityProvider(options: IdentityOptions): IdentityProvider {
  const { database, keyRing, tokens, format, clock } = options;

  const issue = async (viewer: Viewer, keyId: string | undefined): Promise<ExchangedKey> => {
    const { token, expiresAt } = await tokens.issue(viewer, keyId);
    return { token, expiresAt, viewer: { ...viewer, expiresAt } };
  };

  return {
    async exchange(apiKey) {
      if (!format.isWellFormed(apiKey)) throw unauthenticated({});
      const hash = hashOfKey(apiKey);
      const owner = await database.transaction((tx) => ownerOf(tx, hash, clock()));
      if (!owner) throw unauthenticated({});
      return issue(owner.viewer, owner.keyId);
    },
    async renew({ id, tenant, expiresAt }) {
      const [principal] = await database.transaction((tx) => findPrincipals(tx, tenant, [id]), {
        tenant,
      });
      if (!principal) throw unauthenticated({});
      return issue({ ...viewerOf(tenant, principal), ...(expiresAt && { expiresAt }) }, undefined);
    },
    jwks: () => keyRing.jwks(),
  };
}

/** Unknown, revoked, expired: the same statements run, and the same nothing comes back. */
async function ownerOf(
  tx: Kysely<Tables>,
  hash: string,
  now: Date,
): Promise<{ readonly viewer: Viewer; readonly keyId: string } | undefined> {
  const key = await findPresentedKey(tx, hash);
  const tenant = key?.tenant ?? '';
  await sql`SELECT set_config('opea.tenant', ${tenant}, true)`.execute(tx);
  const [principal] = await findPrincipals(tx, tenant, [key?.principalId ?? '']);
  const live = key && !key.revokedAt && (!key.expiresAt || key.expiresAt > now);
  const minute = instantOf(Math.floor(now.getTime() / 60_000) * 60_000);
  await markUsed(tx, { tenant, id: live ? key.id : '', minute });
  if (!live || !principal) return undefined;
  const viewer = viewerOf(tenant, principal);
  return {
    viewer: { ...viewer, ...(key.expiresAt && { expiresAt: key.expiresAt }) },
    keyId: key.id,
  };
}

const viewerOf = (tenant: string, { id, name, kind, roles }: PrincipalSource): Viewer => ({
  id,
  tenant,
  name,
  kind,
  roles: new Set(roles),
  scopes: new Set(),
});
