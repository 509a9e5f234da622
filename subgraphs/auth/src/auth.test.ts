import type { Viewer } from '@opea/kernel/auth';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Ground, openGround, startOn, type TestAuth } from './testing/test-auth.ts';

let ground: Ground;
let auth: TestAuth;
let root: Viewer;
let rootKey: string;
let foreign: Viewer;

beforeAll(async () => {
  ground = await openGround();
  auth = await startOn(ground);
  ({ viewer: root, apiKey: rootKey } = await auth.admin('acme'));
  ({ viewer: foreign } = await auth.admin('globex'));
}, 60_000);
afterAll(async () => {
  await auth?.[Symbol.asyncDispose]();
  await ground?.[Symbol.asyncDispose]();
});

const createKey = `mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) {
  apiKey { id name prefix createdAt expiresAt revokedAt lastUsedAt principal { name } } secret position } }`;
const revokeKey = `mutation($id: ID!) { revokeApiKey(input: { id: $id }) {
  apiKey { id revokedAt } position } }`;
const createPrincipal = `mutation($input: CreatePrincipalInput!) { createPrincipal(input: $input) {
  principal { id name kind roles createdAt } position } }`;
const assignRoles = `mutation($input: AssignRolesInput!) { assignRoles(input: $input) {
  principal { id roles } position } }`;

describe('bootstrap', () => {
  test('gives the first principal every role and a key that works', async () => {
    await expect(auth.data(root, '{ me { name kind roles } tenant { name } }')).resolves.toEqual({
      me: {
        name: 'root',
        kind: 'USER',
        roles: ['MODEL_USER', 'DATA_SCIENTIST', 'MODEL_ADMIN', 'TENANT_ADMIN'],
      },
      tenant: { name: 'acme' },
    });
  });

  test('finds what is there when it is done again, and gives no key', async () => {
    const again = await auth.auth.bootstrap({ tenant: 'acme', principal: 'root' });

    expect(again).toEqual({ tenantId: root.tenant, principalId: root.id, apiKey: undefined });
  });

  test('makes a new key for a workspace that lost its own', async () => {
    const { apiKey = '' } = await auth.auth.bootstrap({
      tenant: 'acme',
      principal: 'root',
      renewKey: true,
    });

    expect((await auth.auth.identity.exchange(apiKey)).viewer.id).toBe(root.id);
  });

  test('done twice at once makes one workspace', async () => {
    const both = await Promise.all([
      auth.auth.bootstrap({ tenant: 'initech', principal: 'peter' }),
      auth.auth.bootstrap({ tenant: 'initech', principal: 'peter' }),
    ]);

    expect(both[0].tenantId).toBe(both[1].tenantId);
    expect(both.filter(({ apiKey }) => apiKey !== undefined)).toHaveLength(1);
  });
});

describe('principals', () => {
  test('are created with the roles asked for', async () => {
    const input = { name: 'ada', kind: 'SERVICE', roles: ['DATA_SCIENTIST'] };

    await expect(auth.data(root, createPrincipal, { input })).resolves.toEqual({
      createPrincipal: {
        principal: {
          id: expect.stringMatching(/^prn_[0-9a-f]{32}$/),
          name: 'ada',
          kind: 'SERVICE',
          roles: ['DATA_SCIENTIST'],
          createdAt: '2026-01-01T00:00:30.000Z',
        },
        position: expect.stringMatching(/^\d+$/),
      },
    });
  });

  test('have names of their own in the tenant, and may share them with another', async () => {
    await auth.member(root, 'grace', []);

    await expect(auth.code(root, createPrincipal, { input: { name: 'grace' } })).resolves.toBe(
      'PRINCIPAL_EXISTS',
    );
    await expect(auth.code(foreign, createPrincipal, { input: { name: 'grace' } })).resolves.toBe(
      '',
    );
  });

  test('of one name asked for twice at once are made once', async () => {
    const answers = await Promise.all(
      [1, 2, 3].map(() => auth.code(root, createPrincipal, { input: { name: 'alan' } })),
    );

    expect(answers.toSorted()).toEqual(['', 'PRINCIPAL_EXISTS', 'PRINCIPAL_EXISTS']);
  });

  test('are listed by name, page by page, without a gap', async () => {
    for (const name of ['zed', 'yan', 'xia']) await auth.member(root, name, ['MODEL_USER']);
    const names: string[] = [];
    let after: string | null = null;
    for (let more = true; more; ) {
      const { principals } = (await auth.data(
        root,
        'query($after: String) { principals(first: 2, after: $after) { edges { node { name } } pageInfo { hasNextPage endCursor } } }',
        { after },
      )) as {
        principals: {
          edges: { node: { name: string } }[];
          pageInfo: { hasNextPage: boolean; endCursor: string };
        };
      };
      names.push(...principals.edges.map(({ node }) => node.name));
      after = principals.pageInfo.endCursor;
      more = principals.pageInfo.hasNextPage;
    }

    expect(names).toEqual(names.toSorted());
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining(['root', 'xia', 'yan', 'zed']));
  });

  test('keep at least one administrator', async () => {
    const input = { principalId: root.id, roles: ['MODEL_USER'] };

    await expect(auth.code(root, assignRoles, { input })).resolves.toBe('LAST_ADMIN');
  });

  test('of two administrators who demote each other at once, one stays', async () => {
    const { viewer: one } = await auth.admin('duel');
    const other = await auth.member(one, 'second', ['TENANT_ADMIN']);

    const codes = await Promise.all([
      auth.code(one, assignRoles, { input: { principalId: other.id, roles: [] } }),
      auth.code(other, assignRoles, { input: { principalId: one.id, roles: [] } }),
    ]);

    expect(codes.toSorted()).toEqual(['', 'LAST_ADMIN']);
  });

  test('carry new roles in their next token', async () => {
    const bob = await auth.member(root, 'bob', ['MODEL_USER']);
    const { createApiKey } = (await auth.data(root, createKey, {
      input: { principalId: bob.id, name: 'bob' },
    })) as { createApiKey: { secret: string } };
    await auth.data(root, assignRoles, {
      input: { principalId: bob.id, roles: ['MODEL_ADMIN', 'DATA_SCIENTIST'] },
    });

    const { viewer } = await auth.auth.identity.exchange(createApiKey.secret);

    expect([...viewer.roles]).toEqual(['DATA_SCIENTIST', 'MODEL_ADMIN']);
  });

  test.for(['', 'A', 'no spaces', '-x', `a${'b'.repeat(64)}`])(
    'do not take the name "%s"',
    async (name) => {
      await expect(auth.code(root, createPrincipal, { input: { name } })).resolves.toBe(
        'BAD_USER_INPUT',
      );
    },
  );

  test('resolve as entities, many in one statement', async () => {
    const query = `query($r: [_Any!]!) { _entities(representations: $r) { ... on Principal { id name } } }`;
    const r = [root.id, 'prn_absent', foreign.id, root.id].map((id) => ({
      __typename: 'Principal',
      id,
    }));

    await expect(auth.data(root, query, { r })).resolves.toEqual({
      _entities: [{ id: root.id, name: 'root' }, null, null, { id: root.id, name: 'root' }],
    });
  });
});

describe('API keys', () => {
  test('show their secret once, and nothing of it afterwards', async () => {
    const { createApiKey } = (await auth.data(root, createKey, {
      input: { name: 'ci', expiresInDays: 1 },
    })) as { createApiKey: { secret: string; apiKey: Record<string, unknown> } };

    expect(createApiKey.secret).toMatch(/^opea_dev_[0-9A-Za-z]{49}$/);
    expect(createApiKey.apiKey).toMatchObject({
      name: 'ci',
      prefix: createApiKey.secret.slice(0, 15),
      expiresAt: '2026-01-02T00:00:30.000Z',
      revokedAt: null,
      lastUsedAt: null,
      principal: { name: 'root' },
    });
    const rows = await auth.database.transaction(
      (tx) => tx.selectFrom('api_keys').selectAll().execute(),
      { tenant: root.tenant },
    );
    expect(JSON.stringify(rows)).not.toContain(createApiKey.secret.slice(16));
  });

  test('are listed newest first', async () => {
    const carol = await auth.member(root, 'carol', ['MODEL_USER']);
    for (const name of ['first', 'second', 'third']) {
      ground.clock.advance(1_000);
      await auth.data(carol, createKey, { input: { name } });
    }
    const query = `query($after: String) { me { apiKeys(first: 2, after: $after) {
      edges { node { name } } pageInfo { hasNextPage endCursor } } } }`;
    type Page = {
      me: { apiKeys: { edges: { node: { name: string } }[]; pageInfo: { endCursor: string } } };
    };
    const first = (await auth.data(carol, query)) as Page;
    const second = (await auth.data(carol, query, {
      after: first.me.apiKeys.pageInfo.endCursor,
    })) as Page;

    const names = [first, second].map(({ me }) => me.apiKeys.edges.map(({ node }) => node.name));
    expect(names).toEqual([['third', 'second'], ['first']]);
  });

  test('of somebody else show to administrators alone', async () => {
    const dave = await auth.member(root, 'dave', ['MODEL_USER']);
    const query =
      '{ principal(name: "root") { apiKeys { edges { node { name } } pageInfo { hasNextPage } } } }';

    await expect(auth.data(dave, query)).resolves.toEqual({
      principal: { apiKeys: { edges: [], pageInfo: { hasNextPage: false } } },
    });
  });

  test('are revoked once and for all', async () => {
    const { createApiKey } = (await auth.data(root, createKey, { input: { name: 'leak' } })) as {
      createApiKey: { secret: string; apiKey: { id: string } };
    };
    const { id } = createApiKey.apiKey;
    const first = await auth.data(root, revokeKey, { id });
    ground.clock.advance(5_000);
    const second = await auth.data(root, revokeKey, { id });

    expect(second).toEqual(first);
    await expect(auth.auth.identity.exchange(createApiKey.secret)).rejects.toThrow(
      'A valid credential is needed.',
    );
  });

  test.for([
    ['no days', { name: 'x', expiresInDays: 0 }],
    ['too many days', { name: 'x', expiresInDays: 3651 }],
    ['no name', { name: ' ' }],
  ] as const)('are not made with %s', async ([, input]) => {
    await expect(auth.code(root, createKey, { input })).resolves.toBe('BAD_USER_INPUT');
  });

  test('are not made for a principal that is not there', async () => {
    const input = { name: 'x', principalId: 'prn_absent' };

    await expect(auth.code(root, createKey, { input })).resolves.toBe('PRINCIPAL_NOT_FOUND');
  });

  test('note their last use to the minute', async () => {
    const eve = await auth.member(root, 'eve', ['MODEL_USER']);
    const { createApiKey } = (await auth.data(eve, createKey, { input: { name: 'used' } })) as {
      createApiKey: { secret: string };
    };
    const minute = `${ground.clock().toISOString().slice(0, 16)}:00.000Z`;
    await auth.auth.identity.exchange(createApiKey.secret);

    await expect(
      auth.data(eve, '{ me { apiKeys { edges { node { lastUsedAt } } } } }'),
    ).resolves.toEqual({ me: { apiKeys: { edges: [{ node: { lastUsedAt: minute } }] } } });
  });

  test('that are not live are refused alike', async () => {
    const { createApiKey } = (await auth.data(root, createKey, {
      input: { name: 'short', expiresInDays: 1 },
    })) as { createApiKey: { secret: string } };
    const other = await startOn(ground);
    await using _stop = other;
    const { apiKey: unknown } = await other.admin('acme');
    ground.clock.advance(86_400_000);
    const broken = `${rootKey.slice(0, -1)}${rootKey.endsWith('0') ? '1' : '0'}`;

    const refusals = await Promise.all(
      [createApiKey.secret, unknown, broken, '', rootKey.replace('_dev_', '_live_')].map((key) =>
        auth.auth.identity.exchange(key).catch((error: unknown) => error),
      ),
    );

    for (const refusal of refusals)
      expect(refusal).toMatchObject({
        kind: { code: 'UNAUTHENTICATED', status: 401 },
        message: 'A valid credential is needed.',
      });
  });
});
