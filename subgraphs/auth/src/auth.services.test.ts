import { randomBytes } from 'node:crypto';
import { env } from 'node:process';
import { jetstreamBus } from '@opea/kernel/bus';
import type { Stack } from '@opea/kernel/lifecycle';
import { openPostgres } from '@opea/kernel/postgres';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Tables } from './tables.ts';
import { type Ground, openGround, startOn, type TestAuth } from './testing/test-auth.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const unique = () => `t${randomBytes(6).toString('hex')}`;
const needed = (name: string) => {
  const value = env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
};

/** Two pools on one PostgreSQL, as two processes have them, and JetStream between. */
const realParts = async (stack: Stack) => {
  const service = unique();
  const url = needed('OPEA_TEST_POSTGRES_AUTH_URL');
  const servers = needed('OPEA_TEST_NATS_URL');
  const bus = stack.use(await jetstreamBus({ servers, prefix: unique() }));
  return {
    bus,
    database: async () => stack.use(await openPostgres<Tables>({ url, service })),
  };
};

describe('two auth services on real servers', () => {
  const sealingKey = randomBytes(32);
  let ground: Ground;
  let one: TestAuth;
  let two: TestAuth;
  beforeAll(async () => {
    ground = await openGround(realParts);
    [one, two] = await Promise.all([
      startOn(ground, { sealingKey }),
      startOn(ground, { sealingKey }),
    ]);
  });
  afterAll(async () => {
    await two?.[Symbol.asyncDispose]();
    await one?.[Symbol.asyncDispose]();
    await ground?.[Symbol.asyncDispose]();
  });

  test('sign with the same key, made once', async () => {
    const [first, second] = await Promise.all([one.auth.identity.jwks(), two.auth.identity.jwks()]);

    expect(first).toEqual(second);
    expect(first.keys).toHaveLength(1);
  });

  test('make a workspace once', async () => {
    const all = await Promise.all(
      [one, two, one, two].map(({ auth }) => auth.bootstrap({ tenant: 'acme', principal: 'root' })),
    );

    expect(new Set(all.map(({ tenantId }) => tenantId)).size).toBe(1);
    expect(all.filter(({ apiKey }) => apiKey !== undefined)).toHaveLength(1);
  });

  test('refuse a key that the other revoked', async () => {
    const { viewer } = await one.admin('revoking');
    const { createApiKey } = (await one.data(
      viewer,
      'mutation { createApiKey(input: { name: "k" }) { secret apiKey { id } } }',
    )) as { createApiKey: { secret: string; apiKey: { id: string } } };
    await expect(two.auth.identity.exchange(createApiKey.secret)).resolves.toBeDefined();
    await one.data(viewer, 'mutation($id: ID!) { revokeApiKey(input: { id: $id }) { position } }', {
      id: createApiKey.apiKey.id,
    });

    await expect(two.auth.identity.exchange(createApiKey.secret)).rejects.toMatchObject({
      kind: { code: 'UNAUTHENTICATED' },
    });
  });

  test('leave one administrator when two demote each other, time after time', async () => {
    const assign = `mutation($id: ID!) { assignRoles(input: { principalId: $id, roles: [] }) { position } }`;
    for (let round = 0; round < 10; round += 1) {
      const { viewer: first } = await one.admin(`duel-${round}`);
      const second = await one.member(first, 'second', ['TENANT_ADMIN']);
      const codes = await Promise.all([
        one.code(first, assign, { id: second.id }),
        two.code(second, assign, { id: first.id }),
      ]);

      expect(codes.toSorted()).toEqual(['', 'LAST_ADMIN']);
    }
  });

  test('take a name once, and tell of it once', async () => {
    const { viewer } = await one.admin('names');
    const create = 'mutation { createPrincipal(input: { name: "ada" }) { position } }';
    const codes = await Promise.all(
      [one, two, one, two, one, two].map((service) => service.code(viewer, create)),
    );

    expect(codes.filter((code) => code === '')).toHaveLength(1);
    expect(codes.filter((code) => code === 'PRINCIPAL_EXISTS')).toHaveLength(5);
  });

  test('show no row without a tenant, to a role that owns the tables too', async () => {
    const count = (tenant?: string) =>
      one.database.transaction(
        async (tx) => (await tx.selectFrom('principals').selectAll().execute()).length,
        tenant === undefined ? {} : { tenant },
      );
    const { viewer } = await one.admin('shown');

    await expect(count()).resolves.toBe(0);
    await expect(count('tnt_other')).resolves.toBe(0);
    await expect(count(viewer.tenant)).resolves.toBe(1);
  });
});
