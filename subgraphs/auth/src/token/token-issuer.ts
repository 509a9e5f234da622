import type { Viewer } from '@opea/kernel/auth';
import { after, type Clock, instantOf } from '@opea/kernel/clock';
import { newId } from '@opea/kernel/ids';
import { SignJWT } from 'jose';
import type { KeyRing } from './key-ring.ts';

export interface IssuedToken {
  readonly token: string;
  readonly expiresAt: Date;
}

export interface TokenIssuer {
  /** A JWT that speaks for the viewer. It ends with `ttlMs`, or when the viewer's own credential does. */
  issue(viewer: Viewer, keyId: string | undefined): Promise<IssuedToken>;
}

export interface TokenIssuerOptions {
  readonly keyRing: KeyRing;
  readonly clock: Clock;
  readonly issuer: string;
  /** At most ten minutes. */
  readonly ttlMs: number;
}

/** Access tokens after RFC 9068: EdDSA, type `at+jwt`, audience `opea`. */
export function tokenIssuer({ keyRing, clock, issuer, ttlMs }: TokenIssuerOptions): TokenIssuer {
  return {
    async issue(viewer, keyId) {
      const now = clock();
      const { privateKey, kid } = await keyRing.current();
      const end = Math.min(after(now, ttlMs).getTime(), viewer.expiresAt?.getTime() ?? Infinity);
      const expires = Math.floor(end / 1000);
      const token = await new SignJWT({
        tenant: viewer.tenant,
        name: viewer.name,
        kind: viewer.kind,
        roles: [...viewer.roles],
        scopes: [...viewer.scopes],
        ...(keyId !== undefined && { key: keyId }),
      })
        .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid })
        .setIssuer(issuer)
        .setAudience('opea')
        .setSubject(viewer.id)
        .setJti(newId())
        .setIssuedAt(Math.floor(now.getTime() / 1000))
        .setExpirationTime(expires)
        .sign(privateKey);
      return { token, expiresAt: instantOf(expires * 1000) };
    },
  };
}
