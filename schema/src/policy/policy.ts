import { anyRole, definePolicy, type Rule, sameTenant, type Viewer } from '@opea/kernel/auth';
import { type Action, type Grant, grants } from './grants.ts';

/** What an action is done to: something of a tenant, and of a principal where it has an owner. */
export interface Guarded {
  readonly tenant: string;
  readonly ownerId?: string | undefined;
}

/** The platform's policy: only inside one's own tenant, only what a grant allows. */
export const policy = definePolicy(rulesOf(grants));

export interface Decision {
  readonly allowed: boolean;
  /** The rule that decided, in a sentence. */
  readonly reason: string;
}

/** What the policy answers, and why. */
export function explain(viewer: Viewer, action: string, resource: Guarded): Decision {
  if (!isAction(action))
    return { allowed: false, reason: `Nobody may ${action}: no rule allows it.` };
  if (!sameTenant(viewer, resource))
    return { allowed: false, reason: 'It does not exist in your tenant.' };
  const grant: Grant = grants[action];
  const allowed = policy.allows(viewer, action, resource);
  if (allowed && !anyRole(...grant.roles)(viewer))
    return { allowed, reason: `Whoever owns it may ${action}, and you do.` };
  const who = `${grant.roles.join(' or ')} may ${action}`;
  const yours = [...viewer.roles].join(', ') || 'no role';
  if (allowed) return { allowed, reason: `${who}, and you have ${yours}.` };
  const owner = grant.owner ? ' So may whoever owns it, and that is not you.' : '';
  return { allowed, reason: `Only ${who}, and you have ${yours}.${owner}` };
}

function isAction(action: string): action is Action {
  return Object.hasOwn(grants, action);
}

function rulesOf(all: Readonly<Record<Action, Grant>>): Readonly<Record<Action, Rule<Guarded>>> {
  const entries = Object.entries(all).map(([action, grant]) => [action, ruleOf(grant)]);
  return Object.fromEntries(entries) as Readonly<Record<Action, Rule<Guarded>>>;
}

function ruleOf({ roles, owner = false }: { readonly roles: Grant['roles']; owner?: boolean }) {
  return (viewer: Viewer, resource: Guarded): boolean =>
    sameTenant(viewer, resource) &&
    (anyRole(...roles)(viewer) || (owner && resource.ownerId === viewer.id));
}
