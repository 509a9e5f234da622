import { newSigningKeys, type SigningKeys, signingKeysFrom } from '@opea/kernel/auth';
import type { Clock } from '@opea/kernel/clock';
import { type Database, jsonValue } from '@opea/kernel/postgres';
import { exportJWK, type JSONWebKeySet, type JWK } from 'jose';
import { type Kysely, sql } from 'kysely';
import { z } from 'zod';
import type { Tables } from '../tables.ts';
import { planRotation, type RotatingKey, type RotationPolicy, signingKey } from './rotation.ts';
import type { Seal } from './seal.ts';

export interface KeyRing {
  /** The key that signs now. Makes the first one, and successors when they are due. Throws SEAL_BROKEN. */
  current(): Promise<SigningKeys>;
  /** Every public key whose tokens may still be live. */
  jwks(): Promise<JSONWebKeySet>;
}

export interface KeyRingOptions {
  readonly database: Database<Tables>;
  readonly seal: Seal;
  readonly clock: Clock;
  readonly rotation: RotationPolicy;
  /** How long what was read of the database is believed, in ms. */
  readonly refreshMs: number;
}

interface StoredKey extends RotatingKey {
  readonly publicJwk: JWK;
  readonly sealed: string;
}

/** Signing keys shared by all instances through the database; the private halves lie there sealed. */
export function keyRing({ database, seal, clock, rotation, refreshMs }: KeyRingOptions): KeyRing {
  const opened = new Map<string, Promise<SigningKeys>>();
  let ring:
    | { readonly keys: Promise<readonly StoredKey[]>; readonly freshUntil: number }
    | undefined;

  const keys = (): Promise<readonly StoredKey[]> => {
    const now = clock();
    if (ring && now.getTime() < ring.freshUntil) return ring.keys;
    const loading = rotated(now);
    ring = { keys: loading, freshUntil: now.getTime() + refreshMs };
    loading.catch(() => {
      ring = undefined;
    });
    return loading;
  };

  const rotated = (now: Date) =>
    database.transaction(async (tx) => {
      await sql`SELECT set_config('opea.signing', 'on', true)`.execute(tx);
      await sql`SELECT pg_advisory_xact_lock(hashtext('opea.signing'))`.execute(tx);
      const { makeFrom, drop } = planRotation(await load(tx), now, rotation);
      if (makeFrom) await make(tx, { seal, now, activeFrom: makeFrom });
      if (drop.length > 0) await tx.deleteFrom('signing_keys').where('kid', 'in', drop).execute();
      return load(tx);
    });

  const open = ({ kid, sealed }: StoredKey): Promise<SigningKeys> => {
    const known = opened.get(kid);
    if (known) return known;
    const key = signingKeysFrom(privateJwk.parse(JSON.parse(seal.open(sealed, kid))));
    opened.set(kid, key);
    return key;
  };

  return {
    async current() {
      const signer = signingKey(await keys(), clock());
      if (!signer) throw new Error('No signing key has begun');
      return open(signer);
    },
    jwks: async () => ({ keys: (await keys()).map(({ publicJwk }) => publicJwk) }),
  };
}

async function load(tx: Kysely<Tables>): Promise<readonly StoredKey[]> {
  return tx
    .selectFrom('signing_keys')
    .select([
      'kid',
      'public_jwk as publicJwk',
      'sealed_private_jwk as sealed',
      'active_from as activeFrom',
    ])
    .orderBy('active_from')
    .execute();
}

async function make(
  tx: Kysely<Tables>,
  { seal, now, activeFrom }: { readonly seal: Seal; readonly now: Date; readonly activeFrom: Date },
): Promise<void> {
  const { privateKey, kid, jwk } = await newSigningKeys({ extractable: true });
  const sealed = seal.close(JSON.stringify(await exportJWK(privateKey)), kid);
  await tx
    .insertInto('signing_keys')
    .values({
      kid,
      public_jwk: jsonValue(jwk),
      sealed_private_jwk: sealed,
      created_at: now,
      active_from: activeFrom,
    })
    .execute();
}

const privateJwk = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string(),
  d: z.string(),
});
