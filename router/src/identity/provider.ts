import type { Viewer } from '@opea/kernel/auth';
import type { JSONWebKeySet } from 'jose';

/** Where the router asks who a credential belongs to: the auth service, in process or remote. */
export interface IdentityProvider {
  /** Throws UNAUTHENTICATED for a key that is not live. */
  exchange(apiKey: string): Promise<ExchangedKey>;
  /** The public keys that sign the platform's tokens. */
  jwks(): Promise<JSONWebKeySet>;
}

export interface ExchangedKey {
  /** A short-lived JWT that stands for the key. */
  readonly token: string;
  readonly viewer: Viewer;
  /** When `token` ends. */
  readonly expiresAt: Date;
}
