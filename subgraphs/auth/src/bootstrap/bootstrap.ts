import { roles } from '@opea/kernel/auth';
import type { Clock } from '@opea/kernel/clock';
import { newId } from '@opea/kernel/ids';
import type { Database } from '@opea/kernel/postgres';
import { type Kysely, sql } from 'kysely';
import { createKey } from '../api-key/api-keys.ts';
import type { KeyFormat } from '../api-key/key-format.ts';
import { tell } from '../feed/outbox.ts';
import { newTenantId } from '../ids.ts';
import { findPrincipalNamed } from '../principal/principal-store.ts';
import { createPrincipal } from '../principal/principals.ts';
import type { Tables } from '../tables.ts';
import { findTenantNamed, insertTenant } from '../tenant/tenant-store.ts';

export interface Workspace {
  /** The tenant's name. */
  readonly tenant: string;
  /** The name of a principal that gets every role. */
  readonly principal: string;
  /** Makes a key also for a principal that is there already: for a workspace whose key was lost. Default false. */
  readonly renewKey?: boolean;
}

export interface Bootstrapped {
  readonly tenantId: string;
  readonly principalId: string;
  /** The key, when one was made; nobody can be told of an earlier one. */
  readonly apiKey: string | undefined;
}

/** A workspace to begin with, for whoever operates the platform. Doing it again finds what is there. */
export async function bootstrap(
  {
    database,
    format,
    clock,
  }: { readonly database: Database<Tables>; readonly format: KeyFormat; readonly clock: Clock },
  { tenant: tenantName, principal: name, renewKey = false }: Workspace,
): Promise<Bootstrapped> {
  return database.transaction(async (tx) => {
    await sql`SELECT pg_advisory_xact_lock(hashtext('opea.bootstrap'))`.execute(tx);
    const correlationId = newId();
    const cause = { actor: 'system', correlationId, at: clock() };
    const found = await findTenantNamed(tx, tenantName);
    const tenant = found?.id ?? newTenantId();
    await actFor(tx, tenant);
    if (!found) {
      await insertTenant(tx, { id: tenant, name: tenantName, createdAt: cause.at });
      const data = { tenantId: tenant, name: tenantName };
      await tell(tx, { type: 'TenantCreated', data }, { ...cause, tenant });
    }
    const known = await findPrincipalNamed(tx, tenant, name);
    const principalId =
      known?.id ?? (await createPrincipal(tx, { name, kind: 'USER', roles }, { ...cause, tenant }));
    if (known && !renewKey) return { tenantId: tenant, principalId, apiKey: undefined };
    const key = { principalId, name: 'Workspace key' };
    const { secret } = await createKey(tx, { key, format, cause: { ...cause, tenant } });
    return { tenantId: tenant, principalId, apiKey: secret };
  });
}

async function actFor(tx: Kysely<Tables>, tenant: string): Promise<void> {
  await sql`SELECT set_config('opea.tenant', ${tenant}, true)`.execute(tx);
}
