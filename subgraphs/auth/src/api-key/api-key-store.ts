import { type Kysely, sql } from 'kysely';
import type { Tables } from '../tables.ts';

/** A key as resolvers pass it on. Nothing of it opens anything. */
export interface ApiKeySource {
  readonly id: string;
  readonly principalId: string;
  readonly name: string;
  readonly prefix: string;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  readonly lastUsedAt: Date | null;
}

export interface PresentedKey extends ApiKeySource {
  readonly tenant: string;
}

/** Keys by id, in no order; those that are not there are left out. */
export async function findKeys(
  tx: Kysely<Tables>,
  tenant: string,
  ids: readonly string[],
): Promise<readonly ApiKeySource[]> {
  return keys(tx)
    .where('tenant', '=', tenant)
    .where('key_id', 'in', ['', ...ids])
    .execute();
}

/** The key with this hash, of whatever tenant: the only row that a transaction without a tenant can see. */
export async function findPresentedKey(
  tx: Kysely<Tables>,
  hash: string,
): Promise<PresentedKey | undefined> {
  await sql`SELECT set_config('opea.presented_key', ${hash}, true)`.execute(tx);
  return keys(tx).select('tenant').where('hash', '=', hash).executeTakeFirst();
}

/** For each principal, its newest `limit` keys older than the point, newest first. */
export async function pageKeys(
  tx: Kysely<Tables>,
  {
    tenant,
    principalIds,
    limit,
    before,
  }: {
    readonly tenant: string;
    readonly principalIds: readonly string[];
    readonly limit: number;
    readonly before: { readonly createdAt: Date; readonly id: string } | undefined;
  },
): Promise<readonly ApiKeySource[]> {
  const newestFirst = sql<number>`row_number() OVER (PARTITION BY principal_id ORDER BY created_at DESC, key_id DESC)`;
  let ranked = keys(tx)
    .where('tenant', '=', tenant)
    .where('principal_id', 'in', ['', ...principalIds])
    .select(newestFirst.as('rank'));
  if (before)
    ranked = ranked.where(
      sql<boolean>`(created_at, key_id) < (${before.createdAt.toISOString()}::timestamptz, ${before.id})`,
    );
  return tx
    .selectFrom(ranked.as('ranked'))
    .selectAll()
    .where('rank', '<=', limit)
    .orderBy('rank')
    .execute();
}

export async function insertKey(
  tx: Kysely<Tables>,
  {
    tenant,
    hash,
    ...key
  }: Omit<PresentedKey, 'revokedAt' | 'lastUsedAt'> & { readonly hash: string },
): Promise<void> {
  await tx
    .insertInto('api_keys')
    .values({
      tenant,
      key_id: key.id,
      principal_id: key.principalId,
      name: key.name,
      prefix: key.prefix,
      hash,
      created_at: key.createdAt,
      expires_at: key.expiresAt,
      revoked_at: null,
      last_used_at: null,
    })
    .execute();
}

/** Whether it was live until now. */
export async function markRevoked(
  tx: Kysely<Tables>,
  { tenant, id, at }: { readonly tenant: string; readonly id: string; readonly at: Date },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('api_keys')
    .set({ revoked_at: at })
    .where('tenant', '=', tenant)
    .where('key_id', '=', id)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Notes a use to the minute, so that a busy key is written once a minute. */
export async function markUsed(
  tx: Kysely<Tables>,
  { tenant, id, minute }: { readonly tenant: string; readonly id: string; readonly minute: Date },
): Promise<void> {
  await tx
    .updateTable('api_keys')
    .set({ last_used_at: minute })
    .where('tenant', '=', tenant)
    .where('key_id', '=', id)
    .where(({ or, eb }) => or([eb('last_used_at', 'is', null), eb('last_used_at', '<', minute)]))
    .execute();
}

function keys(tx: Kysely<Tables>) {
  return tx
    .selectFrom('api_keys')
    .select([
      'key_id as id',
      'principal_id as principalId',
      'name',
      'prefix',
      'created_at as createdAt',
      'expires_at as expiresAt',
      'revoked_at as revokedAt',
      'last_used_at as lastUsedAt',
    ]);
}
