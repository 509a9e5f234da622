import type { Role } from '@opea/kernel/auth';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import {
  type Ground,
  openGround,
  startOn,
  type TestRegistry,
  viewer,
} from './testing/test-registry.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

let ground: Ground;
let registry: TestRegistry;
let modelId: string;
beforeAll(async () => {
  ground = await openGround();
  registry = await startOn(ground);
  const owner = viewer('prn_owner', ['DATA_SCIENTIST']);
  const { registerModel } = (await registry.data(
    owner,
    'mutation { registerModel(input: { name: "mine" }) { model { id } } }',
  )) as { registerModel: { model: { id: string } } };
  modelId = registerModel.model.id;
});
afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
  await ground?.[Symbol.asyncDispose]();
});

const operations = {
  registerModel: () => 'mutation { registerModel(input: { name: "A" }) { position } }',
  updateModel: () =>
    `mutation { updateModel(input: { modelId: "${modelId}", description: "${'x'.repeat(10_001)}" }) { position } }`,
  publishVersion: () =>
    'mutation { publishVersion(input: { model: "mine", files: [] }) { position } }',
  promoteVersion: () =>
    'mutation { promoteVersion(input: { model: "mine", number: 9 }) { position } }',
  retireVersion: () =>
    'mutation { retireVersion(input: { model: "mine", number: 9 }) { position } }',
  model: () => '{ model(name: "mine", consistency: { atLeast: "x" }) { id } }',
  models: () => '{ models(first: -1) { totalCount } }',
  modelVersion: () => '{ modelVersion(id: "x", consistency: { atLeast: "x" }) { id } }',
} as const;

/** Who may do what, said once more in full: each operation is asked so that whoever may do it hears of a mistake instead. */
const table: Readonly<Record<keyof typeof operations, readonly (Role | 'nobody')[]>> = {
  registerModel: ['DATA_SCIENTIST', 'MODEL_ADMIN'],
  updateModel: ['DATA_SCIENTIST', 'MODEL_ADMIN'],
  publishVersion: ['DATA_SCIENTIST', 'MODEL_ADMIN'],
  promoteVersion: ['MODEL_ADMIN'],
  retireVersion: ['MODEL_ADMIN'],
  model: ['MODEL_USER', 'DATA_SCIENTIST', 'MODEL_ADMIN', 'TENANT_ADMIN'],
  models: ['MODEL_USER', 'DATA_SCIENTIST', 'MODEL_ADMIN', 'TENANT_ADMIN'],
  modelVersion: ['MODEL_USER', 'DATA_SCIENTIST', 'MODEL_ADMIN', 'TENANT_ADMIN'],
};

const roles = ['nobody', 'MODEL_USER', 'DATA_SCIENTIST', 'MODEL_ADMIN', 'TENANT_ADMIN'] as const;
const names = Object.keys(operations) as (keyof typeof operations)[];
const cases = names.flatMap((name) =>
  roles.map((role) => [role, table[name].includes(role) ? 'may' : 'may not', name] as const),
);

test.for(cases)('%s %s %s', async ([role, may, name]) => {
  const who = viewer(`prn_${role.toLowerCase()}`, role === 'nobody' ? [] : [role]);
  const code = await registry.code(who, operations[name]());

  expect(code).toMatch(may === 'may' ? /^(BAD_USER_INPUT|VERSION_NOT_FOUND)$/ : /^FORBIDDEN$/);
});

test('nobody without a signed context may do anything', async () => {
  for (const name of names) {
    const { errors } = await registry.registry.subgraph.endpoint.execute(
      { query: operations[name]() },
      { headers: {}, signal: AbortSignal.timeout(10_000) },
    );

    expect(errors?.[0]?.extensions?.['code']).toBe('UNAUTHENTICATED');
  }
});

test('nobody without a role may read entities or events', async () => {
  const who = viewer('prn_none', []);
  const entity = `{ _entities(representations: [{ __typename: "Model", id: "${modelId}" }]) { ... on Model { name } } }`;
  const events = await registry.subscribe(
    who,
    'subscription { registryEvents { id } }',
    {},
    AbortSignal.timeout(10_000),
  );
  const heard: unknown[] = [];
  for await (const result of events) heard.push(result.errors?.[0]?.extensions?.['code']);

  await expect(registry.code(who, entity)).resolves.toBe('FORBIDDEN');
  expect(heard).toEqual(['FORBIDDEN']);
});
