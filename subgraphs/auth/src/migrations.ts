import { eventStoreMigrations } from '@opea/kernel/events';
import type { Migration } from '@opea/kernel/postgres';

/**
 * Every table is under row level security, also for its owner (FORCE). A tenant's rows show inside its own transactions.
 * Two rows show besides: the key whose SHA-256 the transaction presents, and the tenant whose name it presents.
 */
export const migrations: readonly Migration[] = [
  ...eventStoreMigrations,
  {
    name: '001-auth',
    sql: `
      CREATE TABLE tenants (
        tenant text PRIMARY KEY,
        name text NOT NULL UNIQUE,
        created_at timestamptz(3) NOT NULL
      );

      CREATE TABLE principals (
        tenant text NOT NULL REFERENCES tenants,
        principal_id text NOT NULL UNIQUE,
        name text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('USER', 'SERVICE')),
        roles jsonb NOT NULL,
        created_at timestamptz(3) NOT NULL,
        PRIMARY KEY (tenant, principal_id),
        UNIQUE (tenant, name)
      );

      CREATE TABLE api_keys (
        tenant text NOT NULL,
        key_id text NOT NULL UNIQUE,
        principal_id text NOT NULL,
        name text NOT NULL,
        prefix text NOT NULL,
        hash text NOT NULL UNIQUE,
        created_at timestamptz(3) NOT NULL,
        expires_at timestamptz(3),
        revoked_at timestamptz(3),
        last_used_at timestamptz(3),
        PRIMARY KEY (tenant, key_id),
        FOREIGN KEY (tenant, principal_id) REFERENCES principals
      );
      CREATE INDEX api_keys_by_principal ON api_keys (tenant, principal_id, created_at DESC);

      CREATE TABLE signing_keys (
        kid text PRIMARY KEY,
        public_jwk jsonb NOT NULL,
        sealed_private_jwk text NOT NULL,
        created_at timestamptz(3) NOT NULL,
        active_from timestamptz(3) NOT NULL
      );

      ${['tenants', 'principals', 'api_keys', 'signing_keys'].map(forced).join('')}
      ${['tenants', 'principals', 'api_keys'].map(isolated).join('')}
      CREATE POLICY presented_name ON tenants FOR SELECT
        USING (name = current_setting('opea.tenant_name', true));
      CREATE POLICY presented_key ON api_keys FOR SELECT
        USING (hash = current_setting('opea.presented_key', true));
      CREATE POLICY signing ON signing_keys
        USING (current_setting('opea.signing', true) = 'on')
        WITH CHECK (current_setting('opea.signing', true) = 'on');
    `,
  },
];

function forced(table: string): string {
  return `
      ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
      ALTER TABLE ${table} FORCE ROW LEVEL SECURITY;`;
}

function isolated(table: string): string {
  return `
      CREATE POLICY tenant_isolation ON ${table}
        USING (tenant = current_setting('opea.tenant', true))
        WITH CHECK (tenant = current_setting('opea.tenant', true));`;
}
