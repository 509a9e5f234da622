import type { Viewer } from '@opea/kernel/auth';
import { contracts } from '@opea/schema/events';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Ground, openGround, startOn, type TestAuth } from '../testing/test-auth.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

let ground: Ground;
let auth: TestAuth;
let root: Viewer;
let foreign: Viewer;
beforeAll(async () => {
  ground = await openGround();
  auth = await startOn(ground);
  ({ viewer: root } = await auth.admin('acme'));
  ({ viewer: foreign } = await auth.admin('globex'));
});
afterAll(async () => {
  await auth?.[Symbol.asyncDispose]();
  await ground?.[Symbol.asyncDispose]();
});

const subscription = `subscription($types: [String!], $after: String) {
  authEvents(types: $types, after: $after) { type at data cursor } }`;

interface Heard {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly cursor: string;
}

async function hear(
  count: number,
  options: {
    who?: Viewer;
    types?: readonly string[];
    after?: string;
    during?: () => Promise<unknown>;
  },
): Promise<readonly Heard[]> {
  const { who = root, types, after, during } = options;
  const stop = new AbortController();
  const events = await auth.subscribe(who, subscription, { types, after }, stop.signal);
  const iterator = events[Symbol.asyncIterator]();
  const heard: Heard[] = [];
  const first = iterator.next();
  await during?.();
  for (let next = first; heard.length < count; next = iterator.next()) {
    const { value, done } = await next;
    if (done) break;
    if (value.errors) throw new Error(JSON.stringify(value.errors));
    heard.push(value.data?.['authEvents'] as Heard);
    if (heard.length === count) break;
  }
  stop.abort();
  await iterator.return?.();
  return heard;
}

test('every change is told in order, and no secret with it', async () => {
  let secret = '';
  const heard = await hear(4, {
    async during() {
      const ada = await auth.member(root, 'ada', ['MODEL_USER']);
      const { createApiKey } = (await auth.data(
        root,
        `mutation { createApiKey(input: { name: "k", principalId: "${ada.id}" }) { secret apiKey { id } } }`,
      )) as { createApiKey: { secret: string; apiKey: { id: string } } };
      ({ secret } = createApiKey);
      await auth.data(
        root,
        `mutation { assignRoles(input: { principalId: "${ada.id}", roles: [MODEL_ADMIN] }) { position } }`,
      );
      await auth.data(
        root,
        `mutation { revokeApiKey(input: { id: "${createApiKey.apiKey.id}" }) { position } }`,
      );
    },
  });

  expect(heard.map(({ type }) => type)).toEqual([
    'auth.principal-created.v1',
    'auth.api-key-created.v1',
    'auth.roles-changed.v1',
    'auth.api-key-revoked.v1',
  ]);
  expect(JSON.stringify(heard)).not.toContain(secret.slice(16));
  expect(heard[2]?.data['roles']).toEqual(['MODEL_ADMIN']);
});

test('a change that changes nothing is not told', async () => {
  const heard = await hear(1, {
    async during() {
      const bob = await auth.member(root, 'bob', ['MODEL_USER']);
      const same = `mutation { assignRoles(input: { principalId: "${bob.id}", roles: [MODEL_USER] }) { position } }`;
      await auth.data(root, same);
      await auth.member(root, 'end', []);
    },
  });
  const next = await hear(1, { after: heard[0]?.cursor ?? '' });

  expect([...heard, ...next].map(({ data }) => data['name'])).toEqual(['bob', 'end']);
});

test('a refused change is not told either', async () => {
  const heard = await hear(1, {
    async during() {
      await auth.code(root, 'mutation { createPrincipal(input: { name: "bob" }) { position } }');
      await auth.member(root, 'after-refusal', []);
    },
  });

  expect(heard[0]?.data['name']).toBe('after-refusal');
});

test('another tenant hears its own events alone', async () => {
  const heard = await hear(1, {
    who: foreign,
    types: ['auth.principal-created.v1'],
    async during() {
      await auth.member(root, 'ours', []);
      await auth.member(foreign, 'theirs', []);
    },
  });

  expect(heard.map(({ data }) => data['name'])).toEqual(['theirs']);
});

test('only administrators may listen', async () => {
  const user = await auth.member(root, 'listener', ['MODEL_USER', 'MODEL_ADMIN']);

  await expect(hear(1, { who: user })).rejects.toThrow('FORBIDDEN');
});

test.for([
  ['an event of another context', { types: ['registry.alias-moved.v1'] }],
  ['a cursor that is none', { after: '@@' }],
] as const)('%s is refused', async ([, options]) => {
  await expect(hear(1, options)).rejects.toThrow('BAD_USER_INPUT');
});

test('what the bus carries keeps its contract', async () => {
  const stop = new AbortController();
  const subjects = contracts
    .map(({ subject }) => subject)
    .filter((name) => name.startsWith('auth.'));
  const seen = new Set<string>();
  for await (const { subject, data, seq } of ground.bus.read({
    subjects: ['auth.>'],
    after: 'start',
    signal: stop.signal,
  })) {
    contracts.find((contract) => contract.subject === subject)?.parse(data);
    seen.add(subject);
    if (seq === (await ground.bus.lastSeq())) break;
  }

  expect([...seen].toSorted()).toEqual(subjects.toSorted());
});
