import type { Role, Viewer } from '@opea/kernel/auth';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Ground, openGround, startOn, type TestAuth } from './testing/test-auth.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const roles = ['nobody', 'MODEL_USER', 'DATA_SCIENTIST', 'MODEL_ADMIN', 'TENANT_ADMIN'] as const;

let ground: Ground;
let auth: TestAuth;
let root: Viewer;
let foreign: Viewer;
let foreignKey: string;
let rootKey: string;
const members = new Map<string, Viewer>();
beforeAll(async () => {
  ground = await openGround();
  auth = await startOn(ground);
  ({ viewer: root } = await auth.admin('acme'));
  ({ viewer: foreign } = await auth.admin('globex'));
  for (const role of roles)
    members.set(role, await auth.member(root, role.toLowerCase(), role === 'nobody' ? [] : [role]));
  rootKey = await keyOf(root);
  foreignKey = await keyOf(foreign);
});
afterAll(async () => {
  await auth?.[Symbol.asyncDispose]();
  await ground?.[Symbol.asyncDispose]();
});

async function keyOf(who: Viewer): Promise<string> {
  const { createApiKey } = (await auth.data(
    who,
    'mutation { createApiKey(input: { name: "k" }) { apiKey { id } } }',
  )) as { createApiKey: { apiKey: { id: string } } };
  return createApiKey.apiKey.id;
}

const operations = {
  createPrincipal: () => 'mutation { createPrincipal(input: { name: "A" }) { position } }',
  assignRoles: () =>
    'mutation { assignRoles(input: { principalId: "prn_absent", roles: [] }) { position } }',
  'createApiKey for oneself': () => 'mutation { createApiKey(input: { name: "" }) { position } }',
  'createApiKey for another': () =>
    `mutation { createApiKey(input: { name: "", principalId: "${root.id}" }) { position } }`,
  'revokeApiKey of another': () =>
    `mutation { revokeApiKey(input: { id: "${rootKey}" }) { position } }`,
  'revokeApiKey of a foreign one': () =>
    `mutation { revokeApiKey(input: { id: "${foreignKey}" }) { position } }`,
  me: () => '{ me { id } }',
  tenant: () => '{ tenant { id } }',
  principal: () => '{ principal(name: "root") { id } }',
  principals: () => '{ principals { edges { cursor } } }',
} as const;

const admins = ['TENANT_ADMIN'] as const;
const table: Readonly<Record<keyof typeof operations, readonly (Role | 'nobody')[]>> = {
  createPrincipal: admins,
  assignRoles: admins,
  'createApiKey for oneself': roles,
  'createApiKey for another': admins,
  'revokeApiKey of another': admins,
  'revokeApiKey of a foreign one': admins,
  me: roles,
  tenant: roles,
  principal: ['MODEL_USER', 'DATA_SCIENTIST', 'MODEL_ADMIN', 'TENANT_ADMIN'],
  principals: admins,
};

const names = Object.keys(operations) as (keyof typeof operations)[];
const cases = names.flatMap((name) =>
  roles.map((role) => [role, table[name].includes(role) ? 'may' : 'may not', name] as const),
);

test.for(cases)('%s %s %s', async ([role, may, name]) => {
  const code = await auth.code(members.get(role) ?? root, operations[name]());

  expect(code).toMatch(
    may === 'may' ? /^(|BAD_USER_INPUT|PRINCIPAL_NOT_FOUND|API_KEY_NOT_FOUND)$/ : /^FORBIDDEN$/,
  );
});

test('a foreign key and an absent one are one answer', async () => {
  const ask = (id: string) =>
    auth.ask(root, `mutation { revokeApiKey(input: { id: "${id}" }) { position } }`);
  const [foreignAnswer, absent] = await Promise.all([
    ask(foreignKey),
    ask(`key_${'0'.repeat(32)}`),
  ]);
  const bare = ({ errors }: typeof absent) =>
    errors?.map(({ message, extensions }) => [message, extensions?.['code']]);

  expect(bare(foreignAnswer)).toEqual(bare(absent));
  expect(bare(absent)).toEqual([['There is no such API key.', 'API_KEY_NOT_FOUND']]);
});

test('keys of a foreign tenant resolve to nothing as entities, and so do those of others', async () => {
  const query =
    'query($r: [_Any!]!) { _entities(representations: $r) { ... on ApiKey { name } ... on Tenant { name } } }';
  const r = [
    { __typename: 'ApiKey', id: foreignKey },
    { __typename: 'ApiKey', id: rootKey },
    { __typename: 'Tenant', id: foreign.tenant },
    { __typename: 'Tenant', id: root.tenant },
  ];

  await expect(auth.data(root, query, { r })).resolves.toEqual({
    _entities: [null, { name: 'k' }, null, { name: 'acme' }],
  });
  await expect(auth.data(members.get('MODEL_USER') ?? root, query, { r })).resolves.toEqual({
    _entities: [null, null, null, { name: 'acme' }],
  });
});

describe('explaining access', () => {
  const explain = async (who: Viewer, action: string, resource?: string) =>
    (
      (await auth.data(
        who,
        'query($a: String!, $r: ID) { explainAccess(action: $a, resource: $r) { allowed reason } }',
        { a: action, r: resource },
      )) as { explainAccess: { allowed: boolean; reason: string } }
    ).explainAccess;

  test('names the roles that allow it', async () => {
    await expect(explain(members.get('MODEL_USER') ?? root, 'model:promote')).resolves.toEqual({
      allowed: false,
      reason: 'Only MODEL_ADMIN may model:promote, and you have MODEL_USER.',
    });
    await expect(explain(members.get('MODEL_ADMIN') ?? root, 'model:promote')).resolves.toEqual({
      allowed: true,
      reason: 'MODEL_ADMIN may model:promote, and you have MODEL_ADMIN.',
    });
  });

  test('knows owners', async () => {
    const user = members.get('MODEL_USER') ?? root;

    await expect(explain(user, 'api-key:create', user.id)).resolves.toEqual({
      allowed: true,
      reason: 'Whoever owns it may api-key:create, and you do.',
    });
    await expect(explain(user, 'api-key:revoke', rootKey)).resolves.toEqual({
      allowed: false,
      reason:
        'Only TENANT_ADMIN may api-key:revoke, and you have MODEL_USER. So may whoever owns it, and that is not you.',
    });
  });

  test.for(['world:end', '', '__proto__', 'constructor'])(
    'refuses "%s", which no rule allows',
    async (action) => {
      await expect(explain(root, action)).resolves.toMatchObject({ allowed: false });
    },
  );

  test('does not tell a foreign resource from an absent one', async () => {
    const answers = await Promise.all(
      [foreign.id, 'prn_absent', foreignKey, 'key_absent', foreign.tenant].map((resource) =>
        explain(root, 'api-key:create', resource),
      ),
    );

    for (const answer of answers)
      expect(answer).toEqual({ allowed: false, reason: 'It does not exist in your tenant.' });
  });
});
