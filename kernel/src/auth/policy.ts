import { forbidden } from '../errors/index.ts';
import type { Role, Viewer } from './viewer.ts';

export type Rule<Resource> = (viewer: Viewer, resource: Resource) => boolean;

/** Answers "may this viewer do that to this?". An action without a rule does not compile, and is refused. */
export function definePolicy<Rules extends Readonly<Record<string, Rule<never>>>>(rules: Rules) {
  const allows = <Action extends keyof Rules & string>(
    viewer: Viewer,
    action: Action,
    resource: Parameters<Rules[Action]>[1],
  ): boolean => {
    const rule: Rule<never> | undefined = Object.hasOwn(rules, action) ? rules[action] : undefined;
    return rule?.(viewer, resource) ?? false;
  };
  return {
    actions: Object.keys(rules),
    allows,
    /** Throws FORBIDDEN when the rule says no. */
    demand<Action extends keyof Rules & string>(
      viewer: Viewer,
      action: Action,
      resource: Parameters<Rules[Action]>[1],
    ): void {
      if (!allows(viewer, action, resource)) throw forbidden({ action });
    },
  };
}

export const sameTenant = (viewer: Viewer, resource: { readonly tenant: string }): boolean =>
  viewer.tenant === resource.tenant;

export const hasRole =
  (role: Role) =>
  (viewer: Viewer): boolean =>
    viewer.roles.has(role);

export const anyRole =
  (...roles: readonly Role[]) =>
  (viewer: Viewer): boolean =>
    roles.some((role) => viewer.roles.has(role));

export const every =
  <Resource>(...rules: readonly Rule<Resource>[]): Rule<Resource> =>
  (viewer, resource) =>
    rules.every((rule) => rule(viewer, resource));
