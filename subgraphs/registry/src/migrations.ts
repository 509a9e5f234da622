import { eventStoreMigrations } from '@opea/kernel/events';
import type { Migration } from '@opea/kernel/postgres';

/**
 * The read side. A fact that can change is a row with the time it held: `valid_to` is null while it holds, so one query answers
 * for now and for any instant. Every table belongs to a tenant, also for the tables' owner (FORCE).
 */
export const migrations: readonly Migration[] = [
  ...eventStoreMigrations,
  {
    name: '001-registry',
    sql: `
      CREATE TABLE models (
        tenant text NOT NULL,
        model_id text NOT NULL,
        name text NOT NULL,
        created_at timestamptz(3) NOT NULL,
        PRIMARY KEY (tenant, model_id),
        UNIQUE (tenant, name)
      );
      CREATE INDEX models_by_age ON models (tenant, created_at, name);

      CREATE TABLE model_details (
        tenant text NOT NULL,
        model_id text NOT NULL,
        sequence integer NOT NULL,
        owner_id text NOT NULL,
        description text NOT NULL,
        valid_from timestamptz(3) NOT NULL,
        valid_to timestamptz(3),
        PRIMARY KEY (tenant, model_id, sequence)
      );
      CREATE UNIQUE INDEX model_details_now ON model_details (tenant, model_id) WHERE valid_to IS NULL;

      CREATE TABLE versions (
        tenant text NOT NULL,
        version_id text NOT NULL,
        model_id text NOT NULL,
        number integer NOT NULL,
        kind text NOT NULL,
        description text NOT NULL,
        files jsonb NOT NULL,
        signature jsonb NOT NULL,
        features jsonb NOT NULL,
        parents jsonb NOT NULL,
        lineage jsonb,
        published_by text NOT NULL,
        published_at timestamptz(3) NOT NULL,
        retired_at timestamptz(3),
        PRIMARY KEY (tenant, version_id),
        UNIQUE (tenant, model_id, number)
      );

      CREATE TABLE aliases (
        tenant text NOT NULL,
        model_id text NOT NULL,
        alias text NOT NULL,
        sequence integer NOT NULL,
        version_id text NOT NULL,
        moved_by text NOT NULL,
        valid_from timestamptz(3) NOT NULL,
        valid_to timestamptz(3),
        PRIMARY KEY (tenant, model_id, alias, sequence)
      );
      CREATE UNIQUE INDEX aliases_now ON aliases (tenant, model_id, alias) WHERE valid_to IS NULL;
      CREATE INDEX aliases_by_version ON aliases (tenant, version_id);

      CREATE TABLE version_features (
        tenant text NOT NULL,
        view_name text NOT NULL,
        view_version integer NOT NULL,
        version_id text NOT NULL,
        PRIMARY KEY (tenant, view_name, view_version, version_id)
      );

      CREATE TABLE artifacts (
        tenant text NOT NULL,
        digest text NOT NULL,
        size bigint NOT NULL,
        uploaded_by text NOT NULL,
        uploaded_at timestamptz(3) NOT NULL,
        PRIMARY KEY (tenant, digest)
      );
      ${['models', 'model_details', 'versions', 'aliases', 'version_features', 'artifacts'].map(isolated).join('')}
    `,
  },
];

function isolated(table: string): string {
  return `
      ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
      ALTER TABLE ${table} FORCE ROW LEVEL SECURITY;
      CREATE POLICY tenant_isolation ON ${table}
        USING (tenant = current_setting('opea.tenant', true))
        WITH CHECK (tenant = current_setting('opea.tenant', true));`;
}
