import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Ground, openGround, startOn, type TestAuth } from '../testing/test-auth.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const dayMs = 86_400_000;

let ground: Ground;
let auth: TestAuth;
let admin: Awaited<ReturnType<TestAuth['admin']>>;
beforeAll(async () => {
  ground = await openGround();
  auth = await startOn(ground);
  admin = await auth.admin('acme');
});
afterAll(async () => {
  await auth?.[Symbol.asyncDispose]();
  await ground?.[Symbol.asyncDispose]();
});

const seconds = () => Math.floor(ground.clock().getTime() / 1000);

/** Verifies as a stranger would: with nothing but the published keys. */
async function verified(token: string, from: TestAuth = auth) {
  const keys = createLocalJWKSet(await from.auth.identity.jwks());
  const rules = { algorithms: ['EdDSA'], issuer: 'opea:auth', audience: 'opea', typ: 'at+jwt' };
  return jwtVerify(token, keys, { ...rules, currentDate: ground.clock() });
}

describe('a token', () => {
  test('says who acts, for ten minutes, and can be verified with the published keys', async () => {
    const { token, viewer, expiresAt } = await auth.auth.identity.exchange(admin.apiKey);
    const { payload, protectedHeader } = await verified(token);

    expect(payload).toEqual({
      iss: 'opea:auth',
      aud: 'opea',
      sub: viewer.id,
      tenant: viewer.tenant,
      name: 'root',
      kind: 'USER',
      roles: ['MODEL_USER', 'DATA_SCIENTIST', 'MODEL_ADMIN', 'TENANT_ADMIN'],
      scopes: [],
      key: expect.stringMatching(/^key_/),
      jti: expect.any(String),
      iat: seconds(),
      exp: seconds() + 600,
    });
    expect(protectedHeader).toEqual({ alg: 'EdDSA', typ: 'at+jwt', kid: expect.any(String) });
    expect(expiresAt.getTime()).toBe((seconds() + 600) * 1000);
    expect(viewer.expiresAt).toEqual(expiresAt);
  });

  test('is another one each time', async () => {
    const { identity } = auth.auth;
    const [one, two] = await Promise.all([
      identity.exchange(admin.apiKey),
      identity.exchange(admin.apiKey),
    ]);

    expect(decodeJwt(one.token).jti).not.toBe(decodeJwt(two.token).jti);
  });

  test('ends with the key it stands for', async () => {
    const { createApiKey } = (await auth.data(
      admin.viewer,
      'mutation { createApiKey(input: { name: "day", expiresInDays: 1 }) { secret } }',
    )) as { createApiKey: { secret: string } };
    ground.clock.advance(dayMs - 60_000);
    const { token } = await auth.auth.identity.exchange(createApiKey.secret);

    expect(decodeJwt(token).exp).toBe(seconds() + 60);
  });

  test('cannot be made longer than ten minutes', async () => {
    await using long = await startOn(ground, { settings: { tokenTtlMs: dayMs } });
    const { apiKey } = await long.admin('long');
    const { token } = await long.auth.identity.exchange(apiKey);

    expect(decodeJwt(token).exp).toBe(seconds() + 600);
  });
});

describe('over HTTP', () => {
  const post = (headers: Record<string, string>, body?: string) =>
    fetch(`${auth.url}/auth/token`, { method: 'POST', headers, ...(body && { body }) });

  test.for([
    ['a bearer', (key: string) => post({ authorization: `Bearer ${key}` })],
    ['x-api-key', (key: string) => post({ 'x-api-key': key })],
    ['a JSON body', (key: string) => post({}, JSON.stringify({ apiKey: key }))],
  ] as const)('a key as %s is exchanged', async ([, send]) => {
    const answer = await send(admin.apiKey);
    const body = (await answer.json()) as { access_token: string };

    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(body).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: expect.any(Number),
    });
    expect((await verified(body.access_token)).payload.sub).toBe(admin.viewer.id);
  });

  test('a caller whom the router verified gets a token that ends no later than what they showed', async () => {
    const who = { ...admin.viewer, expiresAt: new Date(ground.clock().getTime() + 90_000) };
    const answer = await post(await auth.headersOf(who));
    const { access_token } = (await answer.json()) as { access_token: string };

    expect(decodeJwt(access_token)).toMatchObject({ sub: who.id, exp: seconds() + 90 });
    expect(decodeJwt(access_token)).not.toHaveProperty('key');
  });

  test.for([
    ['no credential', {}, undefined, 401],
    ['a wrong key', { 'x-api-key': 'opea_dev_nonsense' }, undefined, 401],
    ['a forged context', { 'x-opea-context': 'a.b.c' }, undefined, 401],
    ['a body that is no JSON', {}, 'apiKey=1', 400],
    ['a body that is too large', {}, 'x'.repeat(5_000), 413],
  ] as const)('%s is refused', async ([, headers, body, status]) => {
    expect((await post(headers, body)).status).toBe(status);
  });

  test('the keys are public, and only their public halves', async () => {
    const answer = await fetch(`${auth.url}/auth/jwks.json`);
    const { keys } = (await answer.json()) as { keys: Record<string, unknown>[] };

    expect(answer.headers.get('content-type')).toBe('application/jwk-set+json');
    expect(keys).toHaveLength(1);
    expect(Object.keys(keys[0] ?? {}).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x']);
  });
});

describe('signing keys', () => {
  test('are rotated: the successor is published before it signs, the old one until its tokens ended', async () => {
    await using rotating = await startOn(ground, { settings: { rotateAfterMs: dayMs } });
    const { apiKey } = await rotating.admin('rotating');
    const signer = async () => {
      const { token } = await rotating.auth.identity.exchange(apiKey);
      return { token, kid: decodeProtectedHeader(token).kid };
    };
    const published = async () => (await rotating.auth.identity.jwks()).keys.map(({ kid }) => kid);

    const before = await signer();
    ground.clock.advance(dayMs - 4 * 60_000);
    const lead = [await signer(), await published()] as const;
    ground.clock.advance(5 * 60_000);
    const after = await signer();
    const late = await rotating.auth.identity.exchange(apiKey);
    ground.clock.advance(12 * 60_000);
    const gone = await published();

    expect(lead[0].kid).toBe(before.kid);
    expect(lead[1]).toEqual([before.kid, after.kid]);
    expect(after.kid).not.toBe(before.kid);
    expect(gone).toEqual([after.kid]);
    await expect(verified(late.token, rotating)).rejects.toThrow('exp');
  });

  test('are the same after a restart, and for two instances on one database', async () => {
    const { database, sealingKey } = auth;
    await using second = await startOn(ground, { database, sealingKey });
    const { token } = await second.auth.identity.exchange(admin.apiKey);

    await expect(verified(token)).resolves.toBeDefined();
    await expect(second.auth.identity.jwks()).resolves.toEqual(await auth.auth.identity.jwks());
  });

  test('made first by two instances at once are made once', async () => {
    const database = await ground.database();
    const sealingKey = new Uint8Array(32);
    const both = await Promise.all([
      startOn(ground, { database, sealingKey }),
      startOn(ground, { database, sealingKey }),
    ]);
    const sets = await Promise.all(both.map(({ auth: one }) => one.identity.jwks()));
    for (const one of both) await one[Symbol.asyncDispose]();

    expect(sets[0]).toEqual(sets[1]);
    expect(sets[0]?.keys).toHaveLength(1);
  });

  test('do not open with another sealing key: the service says so and does not start', async () => {
    await expect(
      startOn(ground, { database: auth.database, sealingKey: new Uint8Array(32) }),
    ).rejects.toMatchObject({ kind: { code: 'SEAL_BROKEN' } });
  });

  test('lie sealed in the database, where no tenant can see them', async () => {
    const rows = (signing: string) =>
      auth.database.transaction(
        async (tx) => {
          await sql`SELECT set_config('opea.signing', ${signing}, true)`.execute(tx);
          return tx.selectFrom('signing_keys').selectAll().execute();
        },
        { tenant: admin.viewer.tenant },
      );

    await expect(rows('')).resolves.toEqual([]);
    expect(JSON.stringify(await rows('on'))).not.toContain('"d"');
  });
});

test('a malformed key is refused without a statement, every other with the same statements', async () => {
  const { identity } = auth.auth;
  await using other = await startOn(ground);
  const { apiKey: unknown } = await other.admin('acme');
  const transaction = vi.spyOn(auth.database, 'transaction');
  const calls = async (key: string) => {
    transaction.mockClear();
    await identity.exchange(key).catch(() => {});
    return transaction.mock.calls.length;
  };

  expect(await calls('opea_dev_nonsense')).toBe(0);
  expect(await calls(unknown)).toBe(1);
  expect(await calls(admin.apiKey)).toBe(1);
  transaction.mockRestore();
});

test('rows of another tenant do not show, except to whoever presents the key itself', async () => {
  const count = (table: 'tenants' | 'principals' | 'api_keys', tenant?: string) =>
    auth.database.transaction(
      async (tx) => (await tx.selectFrom(table).selectAll().execute()).length,
      tenant === undefined ? {} : { tenant },
    );
  for (const table of ['tenants', 'principals', 'api_keys'] as const) {
    expect([table, await count(table), await count(table, 'tnt_other')]).toEqual([table, 0, 0]);
    expect(await count(table, admin.viewer.tenant)).toBeGreaterThan(0);
  }
});
