import { roles as allRoles, type Role } from '@opea/kernel/auth';
import { badUserInput } from '@opea/kernel/errors';
import { type DataOf, type Decider, type Fact, unreachable } from '@opea/kernel/events';
import type { principalCreated, rolesChanged } from '@opea/schema/events';
import { lastAdmin, principalExists, principalNotFound } from '../errors.ts';

/** What decisions about a principal need to know of it; `undefined` is one that is not there. */
export interface Principal {
  readonly principalId: string;
  readonly roles: readonly Role[];
}

export type PrincipalEvent =
  | Fact<'PrincipalCreated', DataOf<typeof principalCreated>>
  | Fact<'RolesChanged', DataOf<typeof rolesChanged>>;

export type PrincipalCommand =
  | {
      readonly type: 'CreatePrincipal';
      readonly principalId: string;
      readonly name: string;
      readonly kind: 'USER' | 'SERVICE';
      readonly roles: readonly Role[];
    }
  | {
      readonly type: 'AssignRoles';
      readonly principalId: string;
      readonly roles: readonly Role[];
      /** How many other principals of the tenant have TENANT_ADMIN. */
      readonly otherAdmins: number;
    };

export const principalDecider: Decider<Principal | undefined, PrincipalCommand, PrincipalEvent> = {
  initial: undefined,

  evolve(principal, event) {
    switch (event.type) {
      case 'PrincipalCreated': {
        const { principalId, roles } = event.data;
        return { principalId, roles };
      }
      case 'RolesChanged':
        return principal && { ...principal, roles: event.data.roles };
      default:
        return unreachable(event);
    }
  },

  decide(principal, command) {
    switch (command.type) {
      case 'CreatePrincipal':
        return create(principal, command);
      case 'AssignRoles':
        return assign(principal, command);
      default:
        return unreachable(command);
    }
  },
};

function create(
  principal: Principal | undefined,
  { principalId, name, kind, roles }: Named<'CreatePrincipal'>,
): PrincipalEvent[] {
  if (!/^[a-z][a-z0-9._-]{1,63}$/.test(name))
    throw badUserInput({ field: 'name', reason: nameRule });
  if (principal?.principalId === principalId) return [];
  if (principal) throw principalExists({ name });
  return [{ type: 'PrincipalCreated', data: { principalId, name, kind, roles: inOrder(roles) } }];
}

function assign(
  principal: Principal | undefined,
  { principalId, roles, otherAdmins }: Named<'AssignRoles'>,
): PrincipalEvent[] {
  if (!principal) throw principalNotFound({ id: principalId });
  const wanted = inOrder(roles);
  if (wanted.join() === inOrder(principal.roles).join()) return [];
  const admins = otherAdmins + (wanted.includes('TENANT_ADMIN') ? 1 : 0);
  if (admins === 0 && principal.roles.includes('TENANT_ADMIN')) throw lastAdmin({});
  return [{ type: 'RolesChanged', data: { principalId, roles: wanted } }];
}

/** Each role once, in the catalogue's order. */
const inOrder = (roles: readonly Role[]): Role[] => allRoles.filter((role) => roles.includes(role));

const nameRule =
  "name must have 2 to 64 characters: lower-case letters, digits, '-', '_', '.'; and begin with a letter.";

type Named<Type extends PrincipalCommand['type']> = Extract<PrincipalCommand, { type: Type }>;
