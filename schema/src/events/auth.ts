import { defineEvent } from '@opea/kernel/events';
import { z } from 'zod';

const roles = z.array(z.enum(['MODEL_USER', 'DATA_SCIENTIST', 'MODEL_ADMIN', 'TENANT_ADMIN']));

export const tenantCreated = defineEvent('auth.tenant-created', 1, {
  tenantId: z.string(),
  name: z.string(),
});

export const principalCreated = defineEvent('auth.principal-created', 1, {
  principalId: z.string(),
  name: z.string(),
  kind: z.enum(['USER', 'SERVICE']),
  roles,
});

export const rolesChanged = defineEvent('auth.roles-changed', 1, {
  principalId: z.string(),
  roles,
});

export const apiKeyCreated = defineEvent('auth.api-key-created', 1, {
  keyId: z.string(),
  principalId: z.string(),
  name: z.string(),
  expiresAt: z.iso.datetime().nullable(),
});

export const apiKeyRevoked = defineEvent('auth.api-key-revoked', 1, {
  keyId: z.string(),
  principalId: z.string(),
});
