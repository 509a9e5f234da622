import { eventStoreMigrations } from '@opea/kernel/events';
import type { Migration } from '@opea/kernel/postgres';

/** What the inference service stores: facts about what was answered. Tenants see their own rows alone. */
export const migrations: readonly Migration[] = [
  ...eventStoreMigrations,
  {
    name: 'inference-001-answers',
    sql: `
      CREATE TABLE predictions (
        id text PRIMARY KEY,
        tenant text NOT NULL,
        model_id text NOT NULL,
        version_id text NOT NULL,
        principal_id text NOT NULL,
        at timestamptz NOT NULL,
        outputs jsonb NOT NULL,
        timing jsonb NOT NULL,
        batch jsonb NOT NULL,
        features jsonb NOT NULL
      );
      CREATE INDEX predictions_newest ON predictions (tenant, id DESC);
      CREATE INDEX predictions_by_version ON predictions (tenant, version_id, id DESC);

      CREATE TABLE generations (
        id text PRIMARY KEY,
        tenant text NOT NULL,
        model_id text NOT NULL,
        version_id text NOT NULL,
        principal_id text NOT NULL,
        at timestamptz NOT NULL,
        state text NOT NULL,
        pieces jsonb NOT NULL,
        text text NOT NULL,
        finish_reason text,
        prompt_tokens int NOT NULL,
        completion_tokens int NOT NULL,
        timing jsonb
      );

      ALTER TABLE predictions ENABLE ROW LEVEL SECURITY;
      ALTER TABLE predictions FORCE ROW LEVEL SECURITY;
      CREATE POLICY own_tenant ON predictions
        USING (tenant = current_setting('opea.tenant', true))
        WITH CHECK (tenant = current_setting('opea.tenant', true));
      ALTER TABLE generations ENABLE ROW LEVEL SECURITY;
      ALTER TABLE generations FORCE ROW LEVEL SECURITY;
      CREATE POLICY own_tenant ON generations
        USING (tenant = current_setting('opea.tenant', true))
        WITH CHECK (tenant = current_setting('opea.tenant', true));
    `,
  },
];
