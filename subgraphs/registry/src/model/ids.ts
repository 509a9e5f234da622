import { newId } from '@opea/kernel/ids';

/** Opaque, and unique over all tenants. */
export const newModelId = (): string => `mdl_${newId().replaceAll('-', '')}`;
export const newVersionId = (): string => `ver_${newId().replaceAll('-', '')}`;
