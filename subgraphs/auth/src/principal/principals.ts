import type { Role } from '@opea/kernel/auth';
import type { Database } from '@opea/kernel/postgres';
import type { Kysely } from 'kysely';
import { principalExists } from '../errors.ts';
import { type Cause, positionIn, tell } from '../feed/outbox.ts';
import { newPrincipalId } from '../ids.ts';
import type { Tables } from '../tables.ts';
import { principalDecider } from './principal.ts';
import {
  findPrincipalNamed,
  insertPrincipal,
  lockWithAdmins,
  updateRoles,
} from './principal-store.ts';

export interface NewPrincipal {
  readonly name: string;
  readonly kind: 'USER' | 'SERVICE';
  readonly roles: readonly Role[];
}

export interface Principals {
  /** Throws BAD_USER_INPUT, PRINCIPAL_EXISTS. */
  create(
    principal: NewPrincipal,
    cause: Cause,
  ): Promise<{ readonly id: string; readonly position: string }>;
  /** Its position. Throws PRINCIPAL_NOT_FOUND, LAST_ADMIN. */
  assignRoles(
    change: { readonly principalId: string; readonly roles: readonly Role[] },
    cause: Cause,
  ): Promise<string>;
}

/** Changes of principals: decided, stored and told in one transaction. */
export function principals({ database }: { readonly database: Database<Tables> }): Principals {
  return {
    create: (principal, cause) =>
      database.transaction(
        async (tx) => ({
          id: await createPrincipal(tx, principal, cause),
          position: await positionIn(tx),
        }),
        { tenant: cause.tenant },
      ),
    assignRoles: ({ principalId, roles }, cause) =>
      database.transaction(
        async (tx) => {
          const { tenant } = cause;
          const locked = await lockWithAdmins(tx, tenant, principalId);
          const found = locked.find(({ id }) => id === principalId);
          const others = locked.filter(({ id }) => id !== principalId);
          const facts = principalDecider.decide(found && { principalId, roles: found.roles }, {
            type: 'AssignRoles',
            principalId,
            roles,
            otherAdmins: others.length,
          });
          for (const fact of facts) {
            await updateRoles(tx, tenant, { id: principalId, roles: fact.data.roles });
            await tell(tx, fact, cause);
          }
          return positionIn(tx);
        },
        { tenant: cause.tenant },
      ),
  };
}

/** Creates a principal inside the caller's transaction. */
export async function createPrincipal(
  tx: Kysely<Tables>,
  { name, kind, roles }: NewPrincipal,
  cause: Cause,
): Promise<string> {
  const { tenant, at } = cause;
  const id = newPrincipalId();
  const found = await findPrincipalNamed(tx, tenant, name);
  const known = found && { principalId: found.id, roles: found.roles };
  const command = { type: 'CreatePrincipal', principalId: id, name, kind, roles } as const;
  for (const fact of principalDecider.decide(known, command)) {
    const row = { id, name, kind, roles: fact.data.roles, createdAt: at };
    if (!(await insertPrincipal(tx, tenant, row))) throw principalExists({ name });
    await tell(tx, fact, cause);
  }
  return id;
}
