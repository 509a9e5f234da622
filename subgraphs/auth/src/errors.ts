import { defineError } from '@opea/kernel/errors';

export const principalExists = defineError(
  'PRINCIPAL_EXISTS',
  409,
  ({ name }: { name: string }) => `There is a principal ${name} already.`,
);

export const principalNotFound = defineError<{ id: string }>(
  'PRINCIPAL_NOT_FOUND',
  404,
  () => 'There is no such principal.',
);

export const apiKeyNotFound = defineError<{ id: string }>(
  'API_KEY_NOT_FOUND',
  404,
  () => 'There is no such API key.',
);

export const lastAdmin = defineError<Record<string, never>>(
  'LAST_ADMIN',
  409,
  () => 'A tenant keeps at least one TENANT_ADMIN.',
);

/** The data folder or database and the sealing key do not belong together. */
export const sealBroken = defineError<Record<string, never>>(
  'SEAL_BROKEN',
  500,
  () => 'The stored signing keys were sealed with another sealing key.',
);
