import type { Clock } from '@opea/kernel/clock';
import { hasCode, PlatformError } from '@opea/kernel/errors';
import { LRUCache } from 'lru-cache';
import { answers } from '../errors.ts';
import { anonymous, type Caller } from './caller.ts';
import { type Credential, fingerprintOf } from './credentials.ts';
import type { IdentityProvider } from './provider.ts';
import { tokenVerifier } from './tokens.ts';

/** Tells who presented a credential, and forgets at once when told that something changed. */
export interface Identity {
  identify(credential: Credential): Promise<Caller>;
  /** A principal's keys or roles changed: what was verified before no longer counts. */
  forget(principalId: string): void;
  /** Asks again about a caller who keeps a connection open. Rejects when they no longer count. */
  recheck(caller: Caller): Promise<void>;
}

export interface IdentityOptions {
  readonly provider: IdentityProvider;
  readonly clock: Clock;
  readonly issuer: string;
  readonly audience: string;
  readonly algorithms: readonly string[];
  /** How long a verified key is believed without asking again. */
  readonly keyCacheMs: number;
}

/** How long a refusal is remembered, so that a flood of one bad key costs its provider little. */
const refusalMs = 2_000;
/** No token of ours lives longer; after that a forgotten principal needs no mark. */
const longestTokenMs = 24 * 60 * 60 * 1000;

export function startIdentity(options: IdentityOptions): Identity {
  const { provider, clock, keyCacheMs } = options;
  const tokens = tokenVerifier(options);
  const callers = new LRUCache<string, { caller: Caller; until: number }>({ max: 50_000 });
  const refused = new LRUCache<string, number>({ max: 10_000 });
  const asking = new Map<string, Promise<Caller>>();
  const changedAt = new LRUCache<string, number>({ max: 50_000, ttl: longestTokenMs });

  /** Keys live as long as somebody they identified is here; nothing can list them. */
  const secrets = new WeakMap<Caller, string>();

  const verify = (credential: Exclude<Credential, { kind: 'none' }>, fingerprint: string) =>
    credential.kind === 'key'
      ? exchange(credential.secret, fingerprint)
      : read(credential.secret, fingerprint);

  async function exchange(secret: string, fingerprint: string): Promise<Caller> {
    const startedAt = clock().getTime();
    const { viewer, expiresAt } = await provider.exchange(secret).catch((error: unknown) => {
      throw hasCode(error, 'UNAUTHENTICATED') || hasCode(error, 'FORBIDDEN')
        ? answers.UNAUTHENTICATED({}, error)
        : answers.UNAVAILABLE({}, error);
    });
    const { expiresAt: _ofToken, ...lasting } = viewer;
    const caller: Caller = { kind: 'key', viewer: lasting, fingerprint, expiresAt: undefined };
    secrets.set(caller, secret);
    // A change that arrived while we asked may not be in the answer: use it once, do not keep it.
    if ((changedAt.get(viewer.id) ?? 0) < startedAt)
      callers.set(fingerprint, {
        caller,
        until: Math.min(startedAt + keyCacheMs, expiresAt.getTime()),
      });
    return caller;
  }

  async function read(secret: string, fingerprint: string): Promise<Caller> {
    const { viewer, issuedAt, expiresAt } = await tokens.verify(secret);
    const changed = changedAt.get(viewer.id);
    if (changed !== undefined && issuedAt.getTime() <= changed) throw answers.UNAUTHENTICATED();
    const caller: Caller = { kind: 'jwt', viewer, fingerprint, expiresAt };
    callers.set(fingerprint, { caller, until: expiresAt.getTime() });
    return caller;
  }

  return {
    async identify(credential) {
      if (credential.kind === 'none') return anonymous;
      const fingerprint = fingerprintOf(credential.secret);
      const now = clock().getTime();
      const known = callers.get(fingerprint);
      if (known !== undefined && known.until > now) return known.caller;
      if ((refused.get(fingerprint) ?? 0) > now) throw answers.UNAUTHENTICATED();

      const running = asking.get(fingerprint);
      if (running !== undefined) return running;
      const started = verify(credential, fingerprint)
        .catch((error: unknown) => {
          if (error instanceof PlatformError && error.kind.code === 'UNAUTHENTICATED')
            refused.set(fingerprint, now + refusalMs);
          throw error;
        })
        .finally(() => asking.delete(fingerprint));
      asking.set(fingerprint, started);
      return started;
    },
    forget(principalId) {
      changedAt.set(principalId, clock().getTime());
      for (const [fingerprint, { caller }] of callers.entries())
        if (caller.kind !== 'anonymous' && caller.viewer.id === principalId)
          callers.delete(fingerprint);
    },
    async recheck(caller) {
      if (caller.kind !== 'key') return;
      const secret = secrets.get(caller);
      if (secret === undefined) return;
      try {
        await exchange(secret, caller.fingerprint);
      } catch (error) {
        // Only a clear no counts: an auth service that is away must not end every stream.
        if (hasCode(error, 'UNAUTHENTICATED')) throw error;
      }
    },
  };
}
