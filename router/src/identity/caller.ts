import type { Viewer } from '@opea/kernel/auth';

/** Who sent a request, as far as the router verified it. */
export type Caller =
  | { readonly kind: 'anonymous' }
  | {
      readonly kind: 'key' | 'jwt';
      readonly viewer: Viewer;
      /** SHA-256 of the credential. */
      readonly fingerprint: string;
      /** When the credential itself ends; a key that does not expire has none. */
      readonly expiresAt: Date | undefined;
    };

export const anonymous: Caller = { kind: 'anonymous' };
