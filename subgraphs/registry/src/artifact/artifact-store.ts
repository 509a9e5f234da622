import type { Kysely } from 'kysely';
import type { Tables } from '../tables.ts';

export interface Artifact {
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

/** Which bytes a tenant may name. The object store keeps the same bytes once for all tenants; this says who brought them. */
export async function recordArtifact(
  tx: Kysely<Tables>,
  artifact: Artifact & { readonly tenant: string; readonly by: string; readonly at: Date },
): Promise<void> {
  const { tenant, digest, size, by, at } = artifact;
  await tx
    .insertInto('artifacts')
    .values({ tenant, digest, size, uploaded_by: by, uploaded_at: at })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** The tenant's artifacts among these digests. */
export async function findArtifacts(
  tx: Kysely<Tables>,
  { tenant, digests }: { readonly tenant: string; readonly digests: readonly string[] },
): Promise<ReadonlyMap<string, Artifact>> {
  if (digests.length === 0) return new Map();
  const rows = await tx
    .selectFrom('artifacts')
    .select(['digest', 'size'])
    .where('tenant', '=', tenant)
    .where('digest', 'in', digests)
    .execute();
  return new Map(rows.map(({ digest, size }) => [digest, { digest, size: Number(size) }]));
}
