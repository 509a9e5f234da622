import { parseInstant } from '@opea/kernel/clock';
import type { Database } from '@opea/kernel/postgres';
import type { Kysely } from 'kysely';
import { principalNotFound } from '../errors.ts';
import { type Cause, positionIn, tell } from '../feed/outbox.ts';
import { newKeyId } from '../ids.ts';
import { findPrincipals } from '../principal/principal-store.ts';
import type { Tables } from '../tables.ts';
import { apiKeyDecider } from './api-key.ts';
import { findKeys, insertKey, markRevoked } from './api-key-store.ts';
import { hashOfKey, type KeyFormat } from './key-format.ts';

export interface NewKey {
  readonly principalId: string;
  readonly name: string;
  readonly expiresInDays?: number | undefined;
}

export interface MadeKey {
  readonly id: string;
  readonly secret: string;
}

export interface ApiKeys {
  /** The key's id, and the key itself for the only time. Throws BAD_USER_INPUT, PRINCIPAL_NOT_FOUND. */
  create(key: NewKey, cause: Cause): Promise<MadeKey & { readonly position: string }>;
  /** Its position. Revoking again changes nothing. Throws API_KEY_NOT_FOUND. */
  revoke(keyId: string, cause: Cause): Promise<string>;
}

/** Changes of API keys: decided, stored and told in one transaction. */
export function apiKeys({
  database,
  format,
}: {
  readonly database: Database<Tables>;
  readonly format: KeyFormat;
}): ApiKeys {
  return {
    create: (key, cause) =>
      database.transaction(
        async (tx) => ({
          ...(await createKey(tx, { key, format, cause })),
          position: await positionIn(tx),
        }),
        { tenant: cause.tenant },
      ),
    revoke: (keyId, cause) =>
      database.transaction(
        async (tx) => {
          const { tenant, at } = cause;
          const [found] = await findKeys(tx, tenant, [keyId]);
          const state = found && { ...found, keyId, revoked: found.revokedAt !== null };
          for (const fact of apiKeyDecider.decide(state, { type: 'RevokeApiKey', keyId })) {
            if (await markRevoked(tx, { tenant, id: keyId, at })) await tell(tx, fact, cause);
          }
          return positionIn(tx);
        },
        { tenant: cause.tenant },
      ),
  };
}

/** Creates a key inside the caller's transaction. */
export async function createKey(
  tx: Kysely<Tables>,
  {
    key: { principalId, name, expiresInDays },
    format,
    cause,
  }: { readonly key: NewKey; readonly format: KeyFormat; readonly cause: Cause },
): Promise<MadeKey> {
  const { tenant, at } = cause;
  const [owner] = await findPrincipals(tx, tenant, [principalId]);
  if (!owner) throw principalNotFound({ id: principalId });
  const id = newKeyId();
  const { key: secret, prefix } = format.make();
  const command = {
    type: 'CreateApiKey',
    keyId: id,
    principalId,
    name,
    expiresInDays,
    now: at,
  } as const;
  for (const fact of apiKeyDecider.decide(undefined, command)) {
    if (fact.type !== 'ApiKeyCreated') continue;
    const expiresAt =
      fact.data.expiresAt === null ? null : (parseInstant(fact.data.expiresAt) ?? null);
    const row = { tenant, id, principalId, name, prefix, createdAt: at, expiresAt };
    await insertKey(tx, { ...row, hash: hashOfKey(secret) });
    await tell(tx, fact, cause);
  }
  return { id, secret };
}
