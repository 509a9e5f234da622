import { contracts } from '@opea/schema/events';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  type Ground,
  openGround,
  startOn,
  type TestFeature,
  viewer,
} from './testing/test-feature.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const ada = viewer('prn_ada', ['DATA_SCIENTIST']);
const mallory = viewer('prn_mallory', ['DATA_SCIENTIST'], 'tnt_globex');

let ground: Ground;
let feature: TestFeature;
beforeAll(async () => {
  ground = await openGround();
  feature = await startOn(ground);
});
afterAll(async () => {
  await feature?.[Symbol.asyncDispose]();
  await ground?.[Symbol.asyncDispose]();
});

const apply = `mutation($input: ApplyFeatureViewInput!) { applyFeatureView(input: $input) {
  featureView { name version description ttlMs appliedBy { id } fields { name type default } } position } }`;
const shape = (name: string, over: Readonly<Record<string, unknown>> = {}) => ({
  name,
  entities: ['user'],
  fields: [{ name: 'count', type: 'INT' }],
  ...over,
});
const write = `mutation($input: WriteFeaturesInput!) { writeFeatures(input: $input) { position } }`;
const rows = [{ entity: { user: 'u' }, values: { count: 1 } }];

describe('applying a view', () => {
  test('makes a version for each shape it has had, and none for the same again', async () => {
    const version = async (over: Readonly<Record<string, unknown>> = {}) => {
      const data = await feature.data(ada, apply, { input: shape('versions', over) });
      return (data['applyFeatureView'] as { featureView: { version: number } }).featureView.version;
    };
    const versions = [
      await version(),
      await version(),
      await version({ ttlMs: 5 }),
      await version({ ttlMs: 5 }),
      await version(),
    ];

    expect(versions).toEqual([1, 1, 2, 2, 3]);
    expect(
      await feature.data(
        ada,
        '{ old: featureView(name: "versions", version: 2) { ttlMs } featureView(name: "versions") { version ttlMs } }',
      ),
    ).toEqual({ old: { ttlMs: 5 }, featureView: { version: 3, ttlMs: null } });
  });

  test('by many at once makes one version', async () => {
    const all = await Promise.all(
      [1, 2, 3, 4].map(() => feature.data(ada, apply, { input: shape('race') })),
    );

    expect(all.map((data) => data['applyFeatureView'])).toMatchObject(
      all.map(() => ({ featureView: { version: 1 } })),
    );
  });

  test('shows the shape of an earlier instant', async () => {
    await feature.data(ada, apply, { input: shape('earlier') });
    const asOf = ground.clock().toISOString();
    ground.clock.advance(1_000);
    await feature.data(ada, apply, { input: shape('earlier', { description: 'now' }) });
    const query =
      'query($asOf: DateTime) { featureView(name: "earlier", asOf: $asOf) { version } }';

    expect(await feature.data(ada, query, { asOf })).toEqual({ featureView: { version: 1 } });
    expect(await feature.data(ada, query)).toEqual({ featureView: { version: 2 } });
    expect(await feature.data(ada, query, { asOf: '2020-01-01T00:00:00.000Z' })).toEqual({
      featureView: null,
    });
  });

  test.for([
    [
      'a field of another type',
      { fields: [{ name: 'count', type: 'STRING' }] },
      'INCOMPATIBLE_FEATURE_VIEW',
    ],
    ['other entities', { entities: ['item'] }, 'INCOMPATIBLE_FEATURE_VIEW'],
    ['no field', { fields: [] }, 'INVALID_FEATURE_VIEW'],
    [
      '201 fields',
      { fields: Array.from({ length: 201 }, (_, nr) => ({ name: `f${nr}`, type: 'INT' })) },
      'INVALID_FEATURE_VIEW',
    ],
    ['5 entities', { entities: ['a', 'b', 'c', 'd', 'e'] }, 'INVALID_FEATURE_VIEW'],
    [
      'a default of another type',
      { fields: [{ name: 'count', type: 'INT', default: 'x' }] },
      'INVALID_FEATURE_VIEW',
    ],
    ['a ttl of nothing', { ttlMs: 0 }, 'INVALID_FEATURE_VIEW'],
  ] as const)('with %s is refused', async ([, over, code]) => {
    await feature.data(ada, apply, { input: shape('refused') });

    expect(await feature.code(ada, apply, { input: shape('refused', over) })).toBe(code);
  });

  test('a field that went may not come back as another type: its old values are still there', async () => {
    const more = [
      { name: 'count', type: 'INT' },
      { name: 'mood', type: 'STRING' },
    ];
    await feature.data(ada, apply, { input: shape('gone', { fields: more }) });
    await feature.data(ada, apply, { input: shape('gone') });
    const back = [
      { name: 'count', type: 'INT' },
      { name: 'mood', type: 'INT' },
    ];

    expect(await feature.code(ada, apply, { input: shape('gone', { fields: back }) })).toBe(
      'INCOMPATIBLE_FEATURE_VIEW',
    );
  });
});

test('views and indexes come in pages, by name, with their figures', async () => {
  const pat = viewer('prn_pat', ['DATA_SCIENTIST'], 'tnt_pages');
  for (const name of ['cc', 'aa', 'bb']) {
    await feature.data(pat, apply, { input: shape(name) });
    await feature.data(
      pat,
      'mutation($input: CreateVectorIndexInput!) { createVectorIndex(input: $input) { position } }',
      {
        input: { name, dimensions: 2 },
      },
    );
  }
  await feature.data(pat, write, { input: { view: 'bb', rows } });
  const page = `query($after: String) {
    featureViews(first: 2, after: $after) { edges { node { name freshness { entities rows } } } pageInfo { hasNextPage endCursor } }
    vectorIndexes(first: 2, after: $after) { edges { node { name size } } pageInfo { hasNextPage endCursor } } }`;
  const first = await feature.data(pat, page);
  const { endCursor: after } = (first['featureViews'] as { pageInfo: { endCursor: string } })
    .pageInfo;

  expect(first).toMatchObject({
    featureViews: {
      edges: [
        { node: { name: 'aa', freshness: { entities: 0, rows: 0 } } },
        { node: { name: 'bb', freshness: { entities: 1, rows: 1 } } },
      ],
      pageInfo: { hasNextPage: true },
    },
    vectorIndexes: { edges: [{ node: { name: 'aa', size: 0 } }, { node: { name: 'bb' } }] },
  });
  expect(await feature.data(pat, page, { after })).toMatchObject({
    featureViews: { edges: [{ node: { name: 'cc' } }], pageInfo: { hasNextPage: false } },
    vectorIndexes: { edges: [{ node: { name: 'cc' } }], pageInfo: { hasNextPage: false } },
  });
});

const entities = (of: readonly object[]) =>
  [`query($of: [_Any!]!) { _entities(representations: $of) { __typename } }`, { of }] as const;

describe('another tenant', () => {
  test('finds no view, and may have one of the same name', async () => {
    await feature.data(ada, apply, { input: shape('mine') });
    const query =
      '{ featureView(name: "mine") { version } featureViews { edges { node { name } } } }';
    const of = [
      { __typename: 'FeatureView', name: 'mine', version: 1 },
      { __typename: 'VectorIndex', name: 'mine' },
    ];

    expect(await feature.data(mallory, query)).toEqual({
      featureView: null,
      featureViews: { edges: [] },
    });
    expect(await feature.data(mallory, ...entities(of))).toEqual({ _entities: [null, null] });
    expect(await feature.code(mallory, write, { input: { view: 'mine', rows } })).toBe(
      'FEATURE_VIEW_NOT_FOUND',
    );
    expect(
      await feature.data(mallory, apply, { input: shape('mine', { ttlMs: 9 }) }),
    ).toMatchObject({
      applyFeatureView: { featureView: { version: 1 } },
    });
    expect(await feature.data(ada, query)).toMatchObject({ featureView: { version: 1 } });
  });

  test.for(['views', 'feature_values', 'view_writes', 'vector_indexes', 'vectors'] as const)(
    'and none at all see no row of %s',
    async (table) => {
      const eve = viewer('prn_eve', ['DATA_SCIENTIST'], 'tnt_rows');
      const input = { name: 'seen', dimensions: 2 };
      await feature.data(eve, apply, { input: shape('seen') });
      await feature.data(eve, write, { input: { view: 'seen', rows } });
      await feature.data(
        eve,
        'mutation($input: CreateVectorIndexInput!) { createVectorIndex(input: $input) { position } }',
        { input },
      );
      await feature.data(
        eve,
        'mutation { upsertVectors(input: { index: "seen", vectors: [{ key: "a", vector: [1, 2] }] }) { position } }',
      );
      const count = (tenant?: string) =>
        feature.database.transaction(
          async (tx) => (await tx.selectFrom(table).select('tenant').execute()).length,
          tenant === undefined ? {} : { tenant },
        );

      expect(await count()).toBe(0);
      expect(await count('tnt_nobody')).toBe(0);
      expect(await count('tnt_rows')).toBeGreaterThan(0);
    },
  );
});

test.for([
  [
    'applyFeatureView',
    'mutation { applyFeatureView(input: { name: "A", entities: [], fields: [] }) { position } }',
  ],
  ['writeFeatures', 'mutation { writeFeatures(input: { view: "nope", rows: [] }) { position } }'],
  [
    'createVectorIndex',
    'mutation { createVectorIndex(input: { name: "A", dimensions: 1 }) { position } }',
  ],
  [
    'upsertVectors',
    'mutation { upsertVectors(input: { index: "nope", vectors: [] }) { position } }',
  ],
] as const)('%s is for DATA_SCIENTIST alone', async ([, mutation]) => {
  for (const roles of [[], ['MODEL_USER'], ['MODEL_ADMIN'], ['TENANT_ADMIN']] as const)
    expect(await feature.code(viewer('prn_x', roles), mutation)).toBe('FORBIDDEN');
  expect(await feature.code(ada, mutation)).not.toMatch(/FORBIDDEN|^$/);
});

test('nobody without a role may read anything, entities and events neither', async () => {
  const nobody = viewer('prn_nobody', []);
  await feature.data(ada, apply, { input: shape('guarded') });
  const { onlineFeatures } = (await feature.data(
    ada,
    '{ onlineFeatures(view: "guarded", entities: [{ user: "u" }]) { id } }',
  )) as {
    onlineFeatures: { id: string }[];
  };
  for (const query of [
    '{ featureView(name: "x") { name } }',
    '{ featureViews { edges { cursor } } }',
    '{ onlineFeatures(view: "x", entities: []) { id } }',
    '{ vectorIndex(name: "x") { name } }',
    '{ vectorIndexes { edges { cursor } } }',
    '{ nearest(index: "x", vector: []) { key } }',
  ])
    expect(await feature.code(nobody, query)).toBe('FORBIDDEN');
  for (const entity of [
    { __typename: 'FeatureView', name: 'guarded', version: 1 },
    { __typename: 'FeatureVector', id: onlineFeatures[0]?.id },
    { __typename: 'VectorIndex', name: 'x' },
  ])
    expect(await feature.code(nobody, ...entities([entity]))).toBe('FORBIDDEN');
  const events = await feature.subscribe(
    nobody,
    'subscription { featureEvents { id } }',
    {},
    AbortSignal.timeout(10_000),
  );
  for await (const { errors } of events)
    expect(errors?.[0]?.extensions?.['code']).toBe('FORBIDDEN');
});

describe('events', () => {
  const subscription = `subscription($types: [String!], $after: String) { featureEvents(types: $types, after: $after) {
    id type cursor data view { name } } }`;

  interface Heard {
    readonly type: string;
    readonly cursor: string;
    readonly data: Readonly<Record<string, unknown>>;
  }

  async function heard(
    who: typeof ada,
    count: number,
    variables: Readonly<Record<string, unknown>>,
  ) {
    const stopping = new AbortController();
    const events: Heard[] = [];
    for await (const { data } of await feature.subscribe(
      who,
      subscription,
      variables,
      stopping.signal,
    )) {
      events.push(data?.['featureEvents'] as Heard);
      if (events.length === count) break;
    }
    stopping.abort();
    return events;
  }

  const start = Buffer.from('[0]').toString('base64url');

  test('tell of every change as their contracts say, and go on behind any cursor', async () => {
    const eve = viewer('prn_eve', ['DATA_SCIENTIST'], 'tnt_events');
    await feature.data(eve, apply, { input: shape('told') });
    await feature.data(mallory, apply, { input: shape('told') });
    await feature.data(eve, write, { input: { view: 'told', rows } });
    await feature.data(eve, apply, { input: shape('told') });
    await feature.code(eve, write, { input: { view: 'told', rows: [] } });
    await feature.data(
      eve,
      'mutation { createVectorIndex(input: { name: "told", dimensions: 2 }) { position } }',
    );
    await feature.data(
      eve,
      'mutation { upsertVectors(input: { index: "told", vectors: [{ key: "a", vector: [1, 2] }] }) { position } }',
    );
    const all = await heard(eve, 3, { after: start });

    expect(all).toMatchObject([
      {
        type: 'feature.view-applied.v1',
        data: { name: 'told', version: 1 },
        view: { name: 'told' },
      },
      {
        type: 'feature.values-written.v1',
        data: { rows: 1, entities: [{ user: 'u' }] },
        view: { name: 'told' },
      },
      { type: 'feature.vectors-upserted.v1', data: { index: 'told', keys: 1 }, view: null },
    ]);
    for (const [nr, { cursor }] of all.slice(0, 2).entries())
      expect(await heard(eve, 2 - nr, { after: cursor })).toEqual(all.slice(nr + 1));
    const types = ['feature.values-written.v1'];
    expect(await heard(eve, 1, { after: start, types })).toEqual([all[1]]);
  });

  test('lie on the bus as envelopes of their contracts', async () => {
    const stopping = new AbortController();
    const found = new Set<string>();
    for await (const { subject, data } of ground.bus.read({
      subjects: ['feature.>'],
      after: 'start',
      signal: stopping.signal,
    })) {
      const contract = contracts.find((known) => known.subject === subject);
      expect(() => contract?.parse(data)).not.toThrow();
      found.add(subject);
      if (found.size === 3) break;
    }
    stopping.abort();

    expect([...found].toSorted()).toEqual([
      'feature.values-written.v1',
      'feature.vectors-upserted.v1',
      'feature.view-applied.v1',
    ]);
  });
});
