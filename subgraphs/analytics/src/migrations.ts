import type { Migration } from '@opea/kernel/postgres';

/**
 * Slices are appended as facts come in, one per version and second; older ones are rolled up to minutes.
 * `processed` makes a redelivered fact count once. A tenant sees its own rows alone; `tenants` tells maintenance
 * for whom to work.
 */
export const migrations: readonly Migration[] = [
  {
    name: 'analytics-001-serving',
    sql: `
      CREATE TABLE processed (
        event_id text PRIMARY KEY,
        at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX processed_by_age ON processed (at);

      CREATE TABLE tenants (tenant text PRIMARY KEY);

      CREATE TABLE slices (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        tenant text NOT NULL,
        model_id text NOT NULL,
        model text NOT NULL,
        version_id text NOT NULL,
        at timestamptz NOT NULL,
        rolled_up boolean NOT NULL DEFAULT false,
        figures jsonb NOT NULL
      );
      CREATE INDEX slices_by_version ON slices (tenant, version_id, at);
      CREATE INDEX slices_by_time ON slices (tenant, at);
      CREATE INDEX slices_to_roll_up ON slices (at) WHERE NOT rolled_up;

      CREATE TABLE usage_hours (
        tenant text NOT NULL,
        principal_id text NOT NULL,
        hour timestamptz NOT NULL,
        requests bigint NOT NULL,
        prompt_tokens bigint NOT NULL,
        completion_tokens bigint NOT NULL,
        compute_ms double precision NOT NULL,
        PRIMARY KEY (tenant, principal_id, hour)
      );

      ALTER TABLE slices ENABLE ROW LEVEL SECURITY;
      ALTER TABLE slices FORCE ROW LEVEL SECURITY;
      CREATE POLICY own_tenant ON slices
        USING (tenant = current_setting('opea.tenant', true))
        WITH CHECK (tenant = current_setting('opea.tenant', true));
      ALTER TABLE usage_hours ENABLE ROW LEVEL SECURITY;
      ALTER TABLE usage_hours FORCE ROW LEVEL SECURITY;
      CREATE POLICY own_tenant ON usage_hours
        USING (tenant = current_setting('opea.tenant', true))
        WITH CHECK (tenant = current_setting('opea.tenant', true));
    `,
  },
];
