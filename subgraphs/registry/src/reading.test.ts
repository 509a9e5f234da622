import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  type Ground,
  openGround,
  startOn,
  type TestRegistry,
  viewer,
} from './testing/test-registry.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const ada = viewer('prn_ada', ['DATA_SCIENTIST', 'MODEL_ADMIN']);
const bob = viewer('prn_bob', ['DATA_SCIENTIST']);
const mallory = viewer('prn_mallory', ['DATA_SCIENTIST', 'MODEL_ADMIN'], 'tnt_globex');

const register =
  'mutation($input: RegisterModelInput!) { registerModel(input: $input) { model { id } position } }';
const publish = `mutation($input: PublishVersionInput!) { publishVersion(input: $input) {
  modelVersion { id } position } }`;
const promote =
  'mutation($input: PromoteVersionInput!) { promoteVersion(input: $input) { position } }';

let ground: Ground;
let registry: TestRegistry;
const models = ['alpha', 'beta', 'gamma', 'delta', 'epsilon'];
const ids = new Map<string, string>();
const versions: string[] = [];

beforeAll(async () => {
  ground = await openGround();
  registry = await startOn(ground);
  const digest = await registry.model(ada);
  for (const name of models) {
    ground.clock.advance(1_000);
    const who = name === 'beta' ? bob : ada;
    const { registerModel } = (await registry.data(who, register, { input: { name } })) as {
      registerModel: { model: { id: string } };
    };
    ids.set(name, registerModel.model.id);
  }
  for (let number = 1; number <= 5; number += 1) {
    ground.clock.advance(1_000);
    const features = number > 3 ? [{ name: 'user', version: 2 }] : [];
    const input = { model: 'alpha', files: [{ name: 'model.onnx', digest }], features };
    const { publishVersion } = (await registry.data(ada, publish, { input })) as {
      publishVersion: { modelVersion: { id: string } };
    };
    versions.push(publishVersion.modelVersion.id);
  }
  await registry.data(ada, promote, { input: { model: 'alpha', number: 4 } });
  await registry.data(ada, promote, { input: { model: 'alpha', number: 4, alias: 'canary' } });
});
afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
  await ground?.[Symbol.asyncDispose]();
});

interface Page<Node> {
  readonly edges: readonly { readonly node: Node }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  readonly totalCount: number;
}

/** Every node of a connection, fetched page by page; `query` takes `$after`. */
async function all<Node>(query: string, pick: (data: never) => Page<Node>): Promise<Node[]> {
  const nodes: Node[] = [];
  let after: string | null = null;
  for (let more = true; more; ) {
    const page = pick((await registry.data(ada, query, { after })) as never);
    nodes.push(...page.edges.map(({ node }) => node));
    ({ endCursor: after, hasNextPage: more } = page.pageInfo);
  }
  return nodes;
}

const rest = 'pageInfo { hasNextPage endCursor } totalCount';

describe('lists', () => {
  test.for([
    ['NAME', ['alpha', 'beta', 'delta', 'epsilon', 'gamma']],
    ['CREATED_AT', ['epsilon', 'delta', 'gamma', 'beta', 'alpha']],
  ] as const)('come by %s, page by page, without a gap', async ([order, expected]) => {
    const query = `query($after: String) { models(first: 2, after: $after, orderBy: ${order}) {
      edges { node { name } } ${rest} } }`;
    const found = await all<{ name: string }>(query, ({ models: page }: { models: never }) => page);

    expect(found.map(({ name }) => name)).toEqual(expected);
  });

  test.for([
    ['{ nameContains: "TA" }', ['beta', 'delta']],
    ['{ nameContains: "%" }', []],
    ['{ ownerId: "prn_bob" }', ['beta']],
    ['{ hasAlias: "canary" }', ['alpha']],
    ['{ hasAlias: "canary", ownerId: "prn_bob" }', []],
  ] as const)('filter by %s', async ([filter, expected]) => {
    const { models: page } = (await registry.data(
      ada,
      `{ models(filter: ${filter}) { edges { node { name } } totalCount } }`,
    )) as { models: Page<{ name: string }> };

    expect(page.edges.map(({ node }) => node.name)).toEqual(expected);
    expect(page.totalCount).toBe(expected.length);
  });

  test('of versions come newest first', async () => {
    const query = `query($after: String) { model(name: "alpha") { versions(first: 2, after: $after) {
      edges { node { number } } ${rest} } } }`;
    const found = await all<{ number: number }>(
      query,
      ({ model }: { model: { versions: never } }) => model.versions,
    );

    expect(found.map(({ number }) => number)).toEqual([5, 4, 3, 2, 1]);
  });

  test('of history come oldest first, numbered without a gap', async () => {
    const query = `query($after: String) { model(name: "alpha") { history(first: 3, after: $after) {
      edges { node { sequence type by { id } } } pageInfo { hasNextPage endCursor } } } }`;
    const found = await all<{ sequence: number; type: string; by: { id: string } }>(
      query,
      ({ model }: { model: { history: never } }) => model.history,
    );

    expect(found.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(found.at(-1)).toMatchObject({ type: 'AliasMoved', by: { id: 'prn_ada' } });
  });

  test('give at most 100, and nothing for less than 0', async () => {
    await expect(registry.code(ada, '{ models(first: 99999999) { totalCount } }')).resolves.toBe(
      '',
    );
    await expect(registry.code(ada, '{ models(first: -1) { totalCount } }')).resolves.toBe(
      'BAD_USER_INPUT',
    );
  });

  test.for(['nonsense', '', 'WzEsMl0', 'eyJhIjoxfQ'])(
    'refuse the cursor "%s", which is none of theirs',
    async (after) => {
      const lists = [
        'models(after: $after) { totalCount }',
        'models(after: $after, orderBy: CREATED_AT) { totalCount }',
        'model(name: "alpha") { versions(after: $after) { totalCount } }',
      ];
      for (const list of lists)
        await expect(
          registry.code(ada, `query($after: String) { ${list} }`, { after }),
        ).resolves.toBe('BAD_USER_INPUT');
    },
  );
});

describe('entities', () => {
  test('resolve by id and by name, in the order they were asked for', async () => {
    const query = `query($r: [_Any!]!) { _entities(representations: $r) {
      ... on Model { name versions(first: 1) { edges { node { number } } } }
      ... on ModelVersion { number aliases model { name } }
      ... on FeatureView { usedBy { number } } } }`;
    const r = [
      { __typename: 'ModelVersion', id: versions[3] },
      { __typename: 'Model', name: 'beta' },
      { __typename: 'Model', id: ids.get('alpha') },
      { __typename: 'Model', id: 'mdl_absent' },
      { __typename: 'ModelVersion', id: 'ver_absent' },
      { __typename: 'FeatureView', name: 'user', version: 2 },
      { __typename: 'FeatureView', name: 'user', version: 1 },
    ];

    await expect(registry.data(ada, query, { r })).resolves.toEqual({
      _entities: [
        { number: 4, aliases: ['canary', 'production'], model: { name: 'alpha' } },
        { name: 'beta', versions: { edges: [] } },
        { name: 'alpha', versions: { edges: [{ node: { number: 5 } }] } },
        null,
        null,
        { usedBy: [{ number: 5 }, { number: 4 }] },
        { usedBy: [] },
      ],
    });
  });

  test('of another tenant are as if they were not', async () => {
    const query = `query($r: [_Any!]!) { _entities(representations: $r) {
      ... on Model { name } ... on ModelVersion { number } ... on FeatureView { usedBy { id } } } }`;
    const r = [
      { __typename: 'Model', id: ids.get('alpha') },
      { __typename: 'Model', name: 'alpha' },
      { __typename: 'ModelVersion', id: versions[0] },
      { __typename: 'FeatureView', name: 'user', version: 2 },
    ];

    await expect(registry.data(mallory, query, { r })).resolves.toEqual({
      _entities: [null, null, null, { usedBy: [] }],
    });
  });

  test('cost one transaction for a hundred of them', async () => {
    const transaction = vi.spyOn(registry.database, 'transaction');
    const r = Array.from({ length: 100 }, (_, n) => ({
      __typename: 'ModelVersion',
      id: versions[n % versions.length],
    }));
    const query =
      'query($r: [_Any!]!) { _entities(representations: $r) { ... on ModelVersion { number } } }';

    await registry.data(ada, query, { r });

    expect(transaction).toHaveBeenCalledTimes(1);
    transaction.mockRestore();
  });
});

describe('a tenant', () => {
  test.for([
    ['a model by name', 'query($id: ID!) { model(name: "alpha") { id } }', { model: null }],
    [
      'a version by id',
      'query($id: ID!) { modelVersion(id: $id) { number } }',
      { modelVersion: null },
    ],
    [
      'models in a list',
      'query($id: ID!) { models { totalCount edges { cursor } } }',
      { models: { totalCount: 0, edges: [] } },
    ],
  ] as const)('does not see %s of another', async ([, query, nothing]) => {
    const [id] = versions;

    await expect(
      registry.data(
        mallory,
        query.replace('($id: ID!)', query.includes('$id)') ? '($id: ID!)' : ''),
        { id },
      ),
    ).resolves.toEqual(nothing);
  });

  test('does not see rows of another in the database either', async () => {
    const tables = [
      'models',
      'model_details',
      'versions',
      'aliases',
      'version_features',
      'artifacts',
    ] as const;
    for (const table of tables) {
      const count = (tenant?: string) =>
        registry.database.transaction(
          async (tx) => (await tx.selectFrom(table).select('tenant').execute()).length,
          tenant === undefined ? {} : { tenant },
        );

      expect([table, await count('tnt_globex'), await count()]).toEqual([table, 0, 0]);
      expect(await count('tnt_acme')).toBeGreaterThan(0);
    }
  });
});

describe('consistency', () => {
  test('waits for a position and then shows it', async () => {
    const { registerModel } = (await registry.data(ada, register, {
      input: { name: 'zeta' },
    })) as { registerModel: { position: string } };

    await expect(
      registry.data(
        ada,
        'query($at: String!) { model(name: "zeta", consistency: { atLeast: $at }) { name } }',
        { at: registerModel.position },
      ),
    ).resolves.toEqual({ model: { name: 'zeta' } });
  });

  test('is refused for a position that does not come in time', async () => {
    await using impatient = await startOn(ground, {
      database: registry.database,
      limits: { visibilityTimeoutMs: 50 },
    });
    const query = '{ model(name: "alpha", consistency: { atLeast: "999999999" }) { name } }';
    const { errors } = await impatient.ask(ada, query);

    expect(errors?.[0]?.extensions).toEqual({
      code: 'NOT_YET_VISIBLE',
      details: { position: '999999999' },
      retryAfterMs: 50,
    });
  });

  test.for(['', 'abc', '-1', '1e3', '99999999999999999999'])('is refused for "%s"', async (at) => {
    await expect(
      registry.code(
        ada,
        'query($at: String!) { models(consistency: { atLeast: $at }) { totalCount } }',
        {
          at,
        },
      ),
    ).resolves.toBe('BAD_USER_INPUT');
  });
});

describe('hostile text', () => {
  const texts = [
    "1' OR '1'='1",
    '"; DROP TABLE models; --',
    '\u0000',
    '\ud800',
    '__proto__',
    '$1',
    'a'.repeat(50_000),
  ];

  test.for(texts)('%j finds nothing and breaks nothing', async (text) => {
    const query = `query($name: String!, $id: ID!) {
      model(name: $name) { name }
      modelVersion(id: $id) { number }
      models(filter: { nameContains: $name, ownerId: $id, hasAlias: $name }) { totalCount }
      known: model(name: "alpha") { alias(name: $name) { number } } }`;
    const { data, errors = [] } = await registry.ask(ada, query, { name: text, id: text });
    const codes = errors.map(({ extensions }) => extensions?.['code']);

    expect(codes.filter((code) => code !== 'BAD_USER_INPUT')).toEqual([]);
    expect(data?.['model'] ?? null).toBeNull();
    expect(data?.['modelVersion'] ?? null).toBeNull();
    await expect(registry.data(ada, '{ model(name: "alpha") { name } }')).resolves.toEqual({
      model: { name: 'alpha' },
    });
  });

  test.for(texts)('%j is kept as a description, or refused', async (text) => {
    const mutation = `mutation($input: UpdateModelInput!) { updateModel(input: $input) { model { description } } }`;
    const input = { modelId: ids.get('gamma'), description: text };
    const { data, errors = [] } = await registry.ask(ada, mutation, { input });
    const codes = errors.map(({ extensions }) => extensions?.['code']);

    expect(codes.filter((code) => code !== 'BAD_USER_INPUT')).toEqual([]);
    expect([text, undefined]).toContain(
      (data?.['updateModel'] as { model: { description: string } } | null)?.model.description,
    );
  });
});
