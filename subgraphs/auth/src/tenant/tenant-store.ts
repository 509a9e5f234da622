import { type Kysely, sql } from 'kysely';
import type { Tables } from '../tables.ts';

/** A tenant as resolvers pass it on. */
export interface TenantSource {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
}

export function findTenant(tx: Kysely<Tables>, id: string): Promise<TenantSource | undefined> {
  return tenants(tx).where('tenant', '=', id).executeTakeFirst();
}

/** For the platform itself: the tenant of this name, before any tenant is known. */
export async function findTenantNamed(
  tx: Kysely<Tables>,
  name: string,
): Promise<TenantSource | undefined> {
  await sql`SELECT set_config('opea.tenant_name', ${name}, true)`.execute(tx);
  return tenants(tx).where('name', '=', name).executeTakeFirst();
}

export async function insertTenant(
  tx: Kysely<Tables>,
  { id, name, createdAt }: TenantSource,
): Promise<void> {
  await tx.insertInto('tenants').values({ tenant: id, name, created_at: createdAt }).execute();
}

function tenants(tx: Kysely<Tables>) {
  return tx.selectFrom('tenants').select(['tenant as id', 'name', 'created_at as createdAt']);
}
