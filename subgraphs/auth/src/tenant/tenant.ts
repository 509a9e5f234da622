import type { DataOf, Fact } from '@opea/kernel/events';
import type { tenantCreated } from '@opea/schema/events';

export type TenantEvent = Fact<'TenantCreated', DataOf<typeof tenantCreated>>;
