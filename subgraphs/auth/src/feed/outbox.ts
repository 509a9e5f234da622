import { enqueue } from '@opea/kernel/events';
import { newId } from '@opea/kernel/ids';
import {
  apiKeyCreated,
  apiKeyRevoked,
  principalCreated,
  rolesChanged,
  tenantCreated,
} from '@opea/schema/events';
import { type Kysely, sql } from 'kysely';
import type { ApiKeyEvent } from '../api-key/api-key.ts';
import type { PrincipalEvent } from '../principal/principal.ts';
import type { Tables } from '../tables.ts';
import type { TenantEvent } from '../tenant/tenant.ts';

/** Whose change it is, when, and for which request. */
export interface Cause {
  readonly tenant: string;
  /** The principal that acts; `system` for the platform itself. */
  readonly actor: string;
  readonly correlationId: string;
  readonly at: Date;
}

export type AuthFact = TenantEvent | PrincipalEvent | ApiKeyEvent;

const contracts = {
  TenantCreated: tenantCreated,
  PrincipalCreated: principalCreated,
  RolesChanged: rolesChanged,
  ApiKeyCreated: apiKeyCreated,
  ApiKeyRevoked: apiKeyRevoked,
};

/** The bus's names of auth's events. */
export const subjects: readonly string[] = Object.values(contracts).map(({ subject }) => subject);

/** Puts a fact into the outbox of the transaction that made it true; the relay tells everyone. */
export async function tell(tx: Kysely<Tables>, fact: AuthFact, cause: Cause): Promise<void> {
  const { tenant, actor, correlationId, at } = cause;
  const { subject, schema } = contracts[fact.type];
  const envelope = schema.parse({
    id: newId(),
    subject,
    occurredAt: at.toISOString(),
    tenant,
    actor,
    causationId: correlationId,
    correlationId,
    data: fact.data,
  });
  await enqueue(tx, envelope);
}

/** Where the history of auth's facts ends for this transaction: what its mutations return. Reads never lag behind it. */
export async function positionIn(tx: Kysely<Tables>): Promise<string> {
  const { rows } = await sql<{
    position: string;
  }>`SELECT coalesce(max(position), 0)::text AS position FROM outbox`.execute(tx);
  return rows[0]?.position ?? '0';
}
