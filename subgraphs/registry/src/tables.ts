import type { ColumnType, JSONColumnType } from 'kysely';
import type { VersionPublished } from './model/model-facts.ts';

/** The registry's tables, as migrations.ts makes them. */
export interface Tables {
  models: {
    tenant: string;
    model_id: string;
    name: string;
    created_at: Instant;
  };
  model_details: Period & {
    tenant: string;
    model_id: string;
    sequence: number;
    owner_id: string;
    description: string;
  };
  versions: {
    tenant: string;
    version_id: string;
    model_id: string;
    number: number;
    kind: VersionPublished['kind'];
    description: string;
    files: Json<VersionPublished['files']>;
    signature: Json<VersionPublished['signature']>;
    features: Json<VersionPublished['features']>;
    parents: Json<VersionPublished['parents']>;
    lineage: Json<NonNullable<VersionPublished['lineage']>> | null;
    published_by: string;
    published_at: Instant;
    retired_at: Instant | null;
  };
  aliases: Period & {
    tenant: string;
    model_id: string;
    alias: string;
    sequence: number;
    version_id: string;
    moved_by: string;
  };
  version_features: {
    tenant: string;
    view_name: string;
    view_version: number;
    version_id: string;
  };
  artifacts: {
    tenant: string;
    digest: string;
    size: ColumnType<string | number | bigint, number, number>;
    uploaded_by: string;
    uploaded_at: Instant;
  };
}

type Instant = ColumnType<Date, Date, Date>;
type Json<Value extends object> = JSONColumnType<Value, Value, Value>;
interface Period {
  valid_from: Instant;
  valid_to: Instant | null;
}
