import { eventStoreMigrations } from '@opea/kernel/events';
import type { Migration } from '@opea/kernel/postgres';

const ownTenant = (table: string) => `
      ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
      ALTER TABLE ${table} FORCE ROW LEVEL SECURITY;
      CREATE POLICY own_tenant ON ${table}
        USING (tenant = current_setting('opea.tenant', true))
        WITH CHECK (tenant = current_setting('opea.tenant', true));`;

/**
 * History keeps every value ever written, one row per entity and field: online reads take the newest, point-in-time
 * reads the newest at an instant. The writes to a view are numbered in the order they commit: a reading that names the
 * last one it knew stays the same for ever. Vectors of all indexes share one table; each index has its own partial HNSW index.
 */
export const migrations: readonly Migration[] = [
  ...eventStoreMigrations,
  {
    name: 'feature-001-views-values-vectors',
    sql: `
      CREATE SEQUENCE positions;

      CREATE TABLE views (
        tenant text NOT NULL,
        name text NOT NULL,
        version int NOT NULL,
        description text NOT NULL,
        entities jsonb NOT NULL,
        fields jsonb NOT NULL,
        ttl_ms bigint,
        applied_by text NOT NULL,
        applied_at timestamptz(3) NOT NULL,
        PRIMARY KEY (tenant, name, version)
      );

      CREATE TABLE feature_values (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        tenant text NOT NULL,
        view text NOT NULL,
        entity text NOT NULL,
        field text NOT NULL,
        at timestamptz(3) NOT NULL,
        written_at timestamptz(3) NOT NULL,
        value jsonb NOT NULL
      );
      CREATE INDEX feature_values_newest
        ON feature_values (tenant, view, entity, field, at DESC, id DESC);

      CREATE TABLE vector_indexes (
        id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        tenant text NOT NULL,
        name text NOT NULL,
        dimensions int NOT NULL,
        metric text NOT NULL,
        created_at timestamptz(3) NOT NULL,
        UNIQUE (tenant, name)
      );

      CREATE TABLE vectors (
        index_id int NOT NULL REFERENCES vector_indexes,
        tenant text NOT NULL,
        key text NOT NULL,
        embedding vector NOT NULL,
        metadata jsonb NOT NULL,
        PRIMARY KEY (index_id, key)
      );
      CREATE INDEX vectors_by_metadata ON vectors USING gin (metadata jsonb_path_ops);
      ${['views', 'feature_values', 'vector_indexes', 'vectors'].map(ownTenant).join('')}
    `,
  },
  {
    name: 'feature-002-write-numbers',
    sql: `
      CREATE TABLE view_writes (
        tenant text NOT NULL,
        view text NOT NULL,
        number bigint NOT NULL,
        PRIMARY KEY (tenant, view)
      );
      ALTER TABLE feature_values ADD COLUMN write_number bigint NOT NULL DEFAULT 0;
      ${ownTenant('view_writes')}
    `,
  },
];
