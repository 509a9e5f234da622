import { newSigningKeys, type SigningKeys } from '@opea/kernel/auth';
import { after, frozenClock } from '@opea/kernel/clock';
import { unauthenticated } from '@opea/kernel/errors';
import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { viewer } from '../testing/test-router.ts';
import type { Credential } from './credentials.ts';
import { startIdentity } from './identity.ts';

const key: Credential = { kind: 'key', secret: 'opea_test_kkkkkkkkkkkkkkkkkkkk' };

describe('a key', () => {
  it('is asked about once, also by many requests at once, until its time is over', async () => {
    const world = await start();
    await Promise.all(Array.from({ length: 20 }, () => world.identity.identify(key)));
    expect(world.asked()).toBe(1);
    world.clock.advance(60_001);
    await world.identity.identify(key);
    expect(world.asked()).toBe(2);
  });

  it('is not believed longer than the auth service says', async () => {
    const world = await start({ tokenMs: 5_000 });
    await world.identity.identify(key);
    world.clock.advance(5_001);
    await world.identity.identify(key);
    expect(world.asked()).toBe(2);
  });

  it('is forgotten at once when its principal changed', async () => {
    const world = await start();
    await world.identity.identify(key);
    world.refuse();
    world.identity.forget(viewer.id);
    await expect(world.identity.identify(key)).rejects.toMatchObject({
      kind: { code: 'UNAUTHENTICATED' },
    });
  });

  it('that was refused is not asked about again for a moment', async () => {
    const world = await start();
    world.refuse();
    for (let count = 0; count < 50; count += 1)
      await expect(world.identity.identify(key)).rejects.toThrow('credential');
    expect(world.asked()).toBe(1);
  });

  it('of somebody who stays connected is asked about again; only a clear no ends it', async () => {
    const world = await start();
    const caller = await world.identity.identify(key);
    world.fail();
    await expect(world.identity.recheck(caller)).resolves.toBeUndefined();
    world.refuse();
    await expect(world.identity.recheck(caller)).rejects.toThrow('credential');
  });

  it('cannot be judged while the auth service is away: that is not a refusal', async () => {
    const world = await start();
    world.fail();
    await expect(world.identity.identify(key)).rejects.toMatchObject({ kind: { status: 503 } });
  });
});

describe('a token', () => {
  it('issued before its principal changed no longer counts, one issued later does', async () => {
    const world = await start();
    const before = await world.token();
    await world.identity.identify(before);
    world.clock.advance(1_000);
    world.identity.forget(viewer.id);
    await expect(world.identity.identify(before)).rejects.toThrow('credential');
    world.clock.advance(1_000);
    await expect(world.identity.identify(await world.token())).resolves.toMatchObject({
      kind: 'jwt',
    });
  });

  it('is verified with the keys that are known while their source is away', async () => {
    const world = await start();
    await world.identity.identify(await world.token());
    world.fail();
    world.clock.advance(31_000);
    const unknown = await world.token({ kid: 'unknown' });
    await expect(world.identity.identify(unknown)).rejects.toMatchObject({ kind: { status: 401 } });
    await expect(world.identity.identify(await world.token())).resolves.toBeDefined();
  });

  it('cannot be judged before the keys were ever there', async () => {
    const world = await start();
    world.fail();
    await expect(world.identity.identify(await world.token())).rejects.toMatchObject({
      kind: { status: 503 },
    });
  });
});

async function start({ tokenMs = 300_000 } = {}) {
  const clock = frozenClock('2026-01-01T00:00:00Z');
  const signing: SigningKeys = await newSigningKeys();
  let state: 'ok' | 'refusing' | 'away' = 'ok';
  let asked = 0;
  let issued = 0;
  const identity = startIdentity({
    provider: {
      exchange: () => {
        asked += 1;
        if (state === 'refusing') return Promise.reject(unauthenticated({}));
        if (state === 'away') return Promise.reject(new Error('connect ECONNREFUSED'));
        return Promise.resolve({ token: '', viewer, expiresAt: after(clock(), tokenMs) });
      },
      jwks: () =>
        state === 'away'
          ? Promise.reject(new Error('connect ECONNREFUSED'))
          : Promise.resolve({ keys: [signing.jwk] }),
    },
    clock,
    issuer: 'opea:auth',
    audience: 'opea',
    algorithms: ['EdDSA'],
    keyCacheMs: 60_000,
  });
  return {
    clock,
    identity,
    asked: () => asked,
    refuse: () => {
      state = 'refusing';
    },
    fail: () => {
      state = 'away';
    },
    async token({ kid = signing.kid } = {}): Promise<Credential> {
      issued += 1;
      const seconds = Math.floor(clock().getTime() / 1000);
      const { tenant, name, kind } = viewer;
      const secret = await new SignJWT({ tenant, name, kind, roles: [] })
        .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid })
        .setSubject(viewer.id)
        .setIssuer('opea:auth')
        .setAudience('opea')
        .setIssuedAt(seconds)
        .setExpirationTime(seconds + 600)
        .setJti(`tok_${issued}`)
        .sign(signing.privateKey);
      return { kind: 'jwt', secret };
    },
  };
}
