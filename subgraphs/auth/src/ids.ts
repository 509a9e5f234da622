import { newId } from '@opea/kernel/ids';

/** Opaque, and unique over all tenants. */
export const newTenantId = (): string => opaque('tnt');
export const newPrincipalId = (): string => opaque('prn');
export const newKeyId = (): string => opaque('key');

const opaque = (kind: string): string => `${kind}_${newId().replaceAll('-', '')}`;
