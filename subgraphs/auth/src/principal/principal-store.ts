import type { Role } from '@opea/kernel/auth';
import { jsonValue } from '@opea/kernel/postgres';
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../tables.ts';

/** A principal as resolvers pass it on. */
export interface PrincipalSource {
  readonly id: string;
  readonly name: string;
  readonly kind: 'USER' | 'SERVICE';
  readonly roles: readonly Role[];
  readonly createdAt: Date;
}

/** Principals by id, in no order; those that are not there are left out. */
export async function findPrincipals(
  tx: Kysely<Tables>,
  tenant: string,
  ids: readonly string[],
): Promise<readonly PrincipalSource[]> {
  return principals(tx, tenant)
    .where('principal_id', 'in', ['', ...ids])
    .execute();
}

export function findPrincipalNamed(
  tx: Kysely<Tables>,
  tenant: string,
  name: string,
): Promise<PrincipalSource | undefined> {
  return principals(tx, tenant).where('name', '=', name).executeTakeFirst();
}

/** The first `limit` principals after a name, by name. */
export async function pagePrincipals(
  tx: Kysely<Tables>,
  {
    tenant,
    after,
    limit,
  }: { readonly tenant: string; readonly after: string; readonly limit: number },
): Promise<readonly PrincipalSource[]> {
  return principals(tx, tenant).where('name', '>', after).orderBy('name').limit(limit).execute();
}

/** Locks a principal and the tenant's administrators until the transaction ends; gives those of them that are there. */
export async function lockWithAdmins(
  tx: Kysely<Tables>,
  tenant: string,
  id: string,
): Promise<readonly PrincipalSource[]> {
  return principals(tx, tenant)
    .where(sql<boolean>`(principal_id = ${id} OR roles ? 'TENANT_ADMIN')`)
    .orderBy('principal_id')
    .forUpdate()
    .execute();
}

/** Whether it was inserted: false when the name is taken. */
export async function insertPrincipal(
  tx: Kysely<Tables>,
  tenant: string,
  { id, name, kind, roles, createdAt }: PrincipalSource,
): Promise<boolean> {
  const inserted = await tx
    .insertInto('principals')
    .values({
      tenant,
      principal_id: id,
      name,
      kind,
      roles: jsonValue([...roles]),
      created_at: createdAt,
    })
    .onConflict((conflict) => conflict.columns(['tenant', 'name']).doNothing())
    .returning('principal_id')
    .executeTakeFirst();
  return inserted !== undefined;
}

export async function updateRoles(
  tx: Kysely<Tables>,
  tenant: string,
  { id, roles }: Pick<PrincipalSource, 'id' | 'roles'>,
): Promise<void> {
  await tx
    .updateTable('principals')
    .set({ roles: jsonValue([...roles]) })
    .where('tenant', '=', tenant)
    .where('principal_id', '=', id)
    .execute();
}

function principals(tx: Kysely<Tables>, tenant: string) {
  return tx
    .selectFrom('principals')
    .where('tenant', '=', tenant)
    .select(['principal_id as id', 'name', 'kind', 'roles', 'created_at as createdAt']);
}
