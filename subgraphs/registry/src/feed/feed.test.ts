import type { GraphResult } from '@opea/kernel/subgraph';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import {
  type Ground,
  openGround,
  startOn,
  type TestRegistry,
  viewer,
} from '../testing/test-registry.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const ada = viewer('prn_ada', ['DATA_SCIENTIST', 'MODEL_ADMIN']);
const mallory = viewer('prn_mallory', ['DATA_SCIENTIST', 'MODEL_ADMIN'], 'tnt_globex');

let ground: Ground;
let registry: TestRegistry;
beforeAll(async () => {
  ground = await openGround();
  registry = await startOn(ground);
});
afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
  await ground?.[Symbol.asyncDispose]();
});

const subscription = `subscription($types: [String!], $after: String) {
  registryEvents(types: $types, after: $after) {
    type at cursor data model { name description } modelVersion { number aliases } } }`;

interface Heard {
  readonly type: string;
  readonly at: string;
  readonly cursor: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly model: { readonly name: string; readonly description: string } | null;
  readonly modelVersion: { readonly number: number; readonly aliases: readonly string[] } | null;
}

/** The first `count` events of a subscription; `during` runs once it is open. */
async function hear(
  count: number,
  options: {
    who?: typeof ada;
    types?: readonly string[];
    after?: string;
    during?: () => Promise<unknown>;
  },
): Promise<readonly Heard[]> {
  const { who = ada, types, after, during } = options;
  const stop = new AbortController();
  const events = await registry.subscribe(who, subscription, { types, after }, stop.signal);
  const iterator = events[Symbol.asyncIterator]();
  const heard: Heard[] = [];
  let next: Promise<IteratorResult<GraphResult>> = iterator.next();
  await during?.();
  while (heard.length < count) {
    const { value, done } = await next;
    if (done) break;
    if (value.errors) throw new Error(JSON.stringify(value.errors));
    heard.push(value.data?.['registryEvents'] as Heard);
    if (heard.length < count) next = iterator.next();
  }
  stop.abort();
  await iterator.return?.();
  return heard;
}

const mutate = {
  register: (who: typeof ada, name: string) =>
    registry.data(who, `mutation { registerModel(input: { name: "${name}" }) { model { id } } }`),
  async publish(who: typeof ada, model: string) {
    const digest = await registry.model(who);
    return registry.data(
      who,
      `mutation { publishVersion(input: { model: "${model}", files: [{ name: "model.onnx", digest: "${digest}" }] }) { position } }`,
    );
  },
  promote: (who: typeof ada, model: string) =>
    registry.data(
      who,
      `mutation { promoteVersion(input: { model: "${model}", number: 1 }) { position } }`,
    ),
};

test('events arrive in order, with the model and the version they concern', async () => {
  const heard = await hear(3, {
    async during() {
      await mutate.register(ada, 'live');
      await mutate.publish(ada, 'live');
      await mutate.promote(ada, 'live');
    },
  });

  expect(heard.map(({ type }) => type)).toEqual([
    'registry.model-registered.v1',
    'registry.version-published.v1',
    'registry.alias-moved.v1',
  ]);
  expect(heard[0]).toMatchObject({ model: { name: 'live' }, modelVersion: null });
  expect(heard[2]).toMatchObject({
    model: { name: 'live' },
    modelVersion: { number: 1, aliases: ['production'] },
    data: { alias: 'production', number: 1, previousVersionId: null },
  });
});

test('a cursor goes on after it, without a gap and without a repetition', async () => {
  const names = ['one', 'two', 'three', 'four'];
  const first = await hear(2, {
    async during() {
      for (const name of names) await mutate.register(ada, name);
    },
  });
  const rest = await hear(2, { after: first[1]?.cursor ?? '' });

  expect([...first, ...rest].map(({ data }) => data['name'])).toEqual(names);
});

test('types leave out the others', async () => {
  const heard = await hear(1, {
    types: ['registry.version-published.v1'],
    async during() {
      await mutate.register(ada, 'typed');
      await mutate.publish(ada, 'typed');
    },
  });

  expect(heard.map(({ type }) => type)).toEqual(['registry.version-published.v1']);
});

test('another tenant hears nothing of it', async () => {
  const heard = await hear(1, {
    who: mallory,
    async during() {
      await mutate.register(ada, 'hidden');
      await mutate.register(mallory, 'seen');
    },
  });

  expect(heard.map(({ data }) => data['name'])).toEqual(['seen']);
});

test.for([
  ['an unknown type', { types: ['registry.nothing.v1'] }],
  ['another context', { types: ['auth.api-key-created.v1'] }],
  ['everything at once', { types: ['>'] }],
  ['no type at all', { types: [] }],
  ['a cursor that is none', { after: 'nonsense' }],
] as const)('%s is refused', async ([, options]) => {
  await expect(hear(1, options)).rejects.toThrow('BAD_USER_INPUT');
});

test('a service that starts again shows what was and goes on', async () => {
  const database = await ground.database();
  const down = await startOn(ground, { database });
  await down.data(ada, 'mutation { registerModel(input: { name: "before" }) { position } }');
  await down[Symbol.asyncDispose]();
  await using back = await startOn(ground, { database });
  await back.data(ada, 'mutation { registerModel(input: { name: "after" }) { position } }');

  await expect(back.data(ada, '{ models { edges { node { name } } } }')).resolves.toEqual({
    models: { edges: [{ node: { name: 'after' } }, { node: { name: 'before' } }] },
  });
});

test('the read side filled again from the first event is what it was', async () => {
  const query = `{ models { totalCount edges { node { id name description createdAt
    aliases { name movedAt movedBy { id } version { id } }
    versions { edges { node { id number state publishedAt files { digest } } } } } } } }`;
  const before = await registry.data(ada, query);

  await registry.registry.rebuild();

  await expect(registry.data(ada, query)).resolves.toEqual(before);
});
