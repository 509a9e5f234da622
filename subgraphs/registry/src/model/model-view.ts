import { type StoredEvent, unreachable } from '@opea/kernel/events';
import { jsonValue } from '@opea/kernel/postgres';
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../tables.ts';
import { modelEventOf } from './model-events.ts';
import type { AliasMoved, ModelUpdated, VersionPublished } from './model-facts.ts';

/** Writes what one event means into the read tables, in the transaction that moves the checkpoint. */
export async function projectModelEvent(tx: Kysely<Tables>, stored: StoredEvent): Promise<void> {
  const { stream, occurredAt, version: sequence, actor } = stored;
  const { tenant } = stream;
  const at: Moment = { tx, tenant, occurredAt, sequence, actor };
  const event = modelEventOf(stored);
  switch (event.type) {
    case 'ModelRegistered': {
      const { modelId, name } = event.data;
      const model = { tenant, model_id: modelId, name, created_at: occurredAt };
      await tx.insertInto('models').values(model).execute();
      return insertDetails(at, event.data);
    }
    case 'ModelUpdated':
      await tx
        .updateTable('model_details')
        .set({ valid_to: occurredAt })
        .where('tenant', '=', tenant)
        .where('model_id', '=', event.data.modelId)
        .where('valid_to', 'is', null)
        .execute();
      return insertDetails(at, event.data);
    case 'VersionPublished':
      return insertVersion(at, event.data);
    case 'AliasMoved':
      return moveAlias(at, event.data);
    case 'VersionRetired':
      await tx
        .updateTable('versions')
        .set({ retired_at: occurredAt })
        .where('tenant', '=', tenant)
        .where('version_id', '=', event.data.versionId)
        .execute();
      return;
    default:
      return unreachable(event);
  }
}

/** Empties the read tables, for a rebuild from the first event. Uploads stay: no event makes them. */
export async function clearModelView(tx: Kysely<Tables>): Promise<void> {
  await sql`TRUNCATE models, model_details, versions, aliases, version_features`.execute(tx);
}

interface Moment {
  readonly tx: Kysely<Tables>;
  readonly tenant: string;
  readonly occurredAt: Date;
  readonly sequence: number;
  readonly actor: string;
}

async function insertDetails(
  { tx, tenant, occurredAt, sequence }: Moment,
  { modelId, ownerId, description }: ModelUpdated,
): Promise<void> {
  const details = { tenant, model_id: modelId, sequence, owner_id: ownerId, description };
  await tx
    .insertInto('model_details')
    .values({ ...details, valid_from: occurredAt, valid_to: null })
    .execute();
}

async function insertVersion(
  { tx, tenant, occurredAt, actor }: Moment,
  version: VersionPublished,
): Promise<void> {
  await tx
    .insertInto('versions')
    .values({
      tenant,
      version_id: version.versionId,
      model_id: version.modelId,
      number: version.number,
      kind: version.kind,
      description: version.description ?? '',
      files: jsonValue(version.files),
      signature: jsonValue(version.signature),
      features: jsonValue(version.features),
      parents: jsonValue(version.parents),
      lineage: version.lineage ? jsonValue(version.lineage) : null,
      published_by: actor,
      published_at: occurredAt,
      retired_at: null,
    })
    .execute();
  if (version.features.length === 0) return;
  await tx
    .insertInto('version_features')
    .values(
      version.features.map((view) => ({
        tenant,
        view_name: view.name,
        view_version: view.version,
        version_id: version.versionId,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

async function moveAlias(
  { tx, tenant, occurredAt, sequence, actor }: Moment,
  { modelId, alias, versionId }: AliasMoved,
): Promise<void> {
  await tx
    .updateTable('aliases')
    .set({ valid_to: occurredAt })
    .where('tenant', '=', tenant)
    .where('model_id', '=', modelId)
    .where('alias', '=', alias)
    .where('valid_to', 'is', null)
    .execute();
  const row = { tenant, model_id: modelId, alias, sequence, version_id: versionId };
  await tx
    .insertInto('aliases')
    .values({ ...row, moved_by: actor, valid_from: occurredAt, valid_to: null })
    .execute();
}
