import type { Role } from '@opea/kernel/auth';

/** Who may do one thing: principals with one of these roles, and, where `owner` says so, the one it belongs to. */
export interface Grant {
  readonly roles: readonly Role[];
  readonly owner?: true;
}

const everyRole = ['MODEL_USER', 'DATA_SCIENTIST', 'MODEL_ADMIN', 'TENANT_ADMIN'] as const;
const modelRoles = ['MODEL_USER', 'DATA_SCIENTIST', 'MODEL_ADMIN'] as const;
const makers = ['DATA_SCIENTIST', 'MODEL_ADMIN'] as const;

/** Everything that may be done on the platform, and by whom. What is not here, nobody may do. */
export const grants = {
  'principal:read': { roles: everyRole, owner: true },
  'principal:list': { roles: ['TENANT_ADMIN'] },
  'principal:create': { roles: ['TENANT_ADMIN'] },
  'roles:assign': { roles: ['TENANT_ADMIN'] },
  'api-key:read': { roles: ['TENANT_ADMIN'], owner: true },
  'api-key:create': { roles: ['TENANT_ADMIN'], owner: true },
  'api-key:revoke': { roles: ['TENANT_ADMIN'], owner: true },
  'auth-events:read': { roles: ['TENANT_ADMIN'] },

  'model:read': { roles: everyRole },
  'model:register': { roles: makers },
  'model:update': { roles: makers, owner: true },
  'model:publish': { roles: makers },
  'model:promote': { roles: ['MODEL_ADMIN'] },
  'model:retire': { roles: ['MODEL_ADMIN'] },
  'artifact:upload': { roles: makers },
  'artifact:read': { roles: everyRole },
  'registry-events:read': { roles: everyRole },

  'inference:predict': { roles: modelRoles },
  'inference:generate': { roles: modelRoles },
  'inference:read': { roles: modelRoles },

  'feature:read': { roles: everyRole },
  'feature:write': { roles: ['DATA_SCIENTIST'] },
  'feature-events:read': { roles: everyRole },

  'analytics:read': { roles: everyRole },
  'analytics:read-usage': { roles: ['MODEL_ADMIN', 'TENANT_ADMIN'] },
} as const satisfies Readonly<Record<string, Grant>>;

export type Action = keyof typeof grants;
