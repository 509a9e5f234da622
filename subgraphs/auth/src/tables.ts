import type { Role } from '@opea/kernel/auth';
import type { JWK } from 'jose';
import type { ColumnType, JSONColumnType } from 'kysely';

/** Auth's tables, as migrations.ts makes them. */
export interface Tables {
  tenants: {
    tenant: string;
    name: string;
    created_at: Instant;
  };
  principals: {
    tenant: string;
    principal_id: string;
    name: string;
    kind: 'USER' | 'SERVICE';
    roles: JSONColumnType<Role[], Role[], Role[]>;
    created_at: Instant;
  };
  api_keys: {
    tenant: string;
    key_id: string;
    principal_id: string;
    name: string;
    prefix: string;
    /** SHA-256 of the whole key, hex. */
    hash: string;
    created_at: Instant;
    expires_at: Instant | null;
    revoked_at: Instant | null;
    last_used_at: Instant | null;
  };
  signing_keys: {
    kid: string;
    public_jwk: JSONColumnType<JWK, JWK, JWK>;
    sealed_private_jwk: string;
    created_at: Instant;
    active_from: Instant;
  };
}

type Instant = ColumnType<Date, Date, Date>;
