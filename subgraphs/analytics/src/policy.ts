import { anyRole, definePolicy } from '@opea/kernel/auth';

/** Who may see figures. What single principals used is for those who run the tenant. */
export const policy = definePolicy({
  'analytics:read': anyRole('MODEL_USER', 'DATA_SCIENTIST', 'MODEL_ADMIN', 'TENANT_ADMIN'),
  'analytics:read-usage': anyRole('MODEL_ADMIN', 'TENANT_ADMIN'),
});
