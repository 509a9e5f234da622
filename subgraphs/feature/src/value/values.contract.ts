import fc from 'fast-check';
import type { Kysely, KyselyPlugin } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Tables } from '../tables.ts';
import { type Ground, startOn, type TestFeature, viewer } from '../testing/test-feature.ts';

const ada = viewer('prn_ada', ['DATA_SCIENTIST']);
const mallory = viewer('prn_mallory', ['DATA_SCIENTIST'], 'tnt_globex');

const apply = `mutation($input: ApplyFeatureViewInput!) { applyFeatureView(input: $input) {
  featureView { name version } } }`;
const write = `mutation($input: WriteFeaturesInput!) { writeFeatures(input: $input) { written position } }`;
const reading = `id at entity values { name value { __typename
  ... on FreshValue { value at ageMs } ... on StaleValue { value at ageMs } ... on MissingValue { default } } }`;
const online = `query($view: String!, $entities: [JSON!]!, $fields: [String!], $asOf: DateTime, $version: Int) {
  onlineFeatures(view: $view, entities: $entities, fields: $fields, asOf: $asOf, version: $version) { ${reading} } }`;
const byId = `query($of: [_Any!]!) { _entities(representations: $of) { ... on FeatureVector { ${reading} } } }`;

interface Vector {
  readonly id: string;
  readonly values: readonly {
    readonly name: string;
    readonly value: Readonly<Record<string, unknown>>;
  }[];
}

/** What the feature store promises of values, whatever it stands on. */
export function valuesContract(openGround: () => Promise<Ground>): void {
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

  let views = 0;
  async function newView(ttlMs: number | null = null, who = ada): Promise<string> {
    views += 1;
    const input = {
      name: `view_${views}`,
      entities: ['user'],
      ttlMs,
      fields: [
        { name: 'count', type: 'INT', default: 7 },
        { name: 'mood', type: 'STRING' },
      ],
    };
    await feature.data(who, apply, { input });
    return input.name;
  }

  const put = (view: string, rows: readonly unknown[], who = ada) =>
    feature.data(who, write, { input: { view, rows } });

  async function read(view: string, over: Readonly<Record<string, unknown>> = {}) {
    const { onlineFeatures } = await feature.data(ada, online, {
      view,
      entities: [{ user: 'u' }],
      ...over,
    });
    return onlineFeatures as readonly Vector[];
  }

  const plain = ({ values }: Vector) =>
    Object.fromEntries(values.map(({ name, value }) => [name, value['value'] ?? null]));

  const at = (second: number) => new Date(Date.UTC(2025, 0, 1, 0, 0, second)).toISOString();

  describe('a write', () => {
    test('shows at once, field by field: a partial row leaves the others as they were', async () => {
      const view = await newView();
      await put(view, [{ entity: { user: 'u' }, at: at(1), values: { count: 1, mood: 'calm' } }]);
      await put(view, [{ entity: { user: 'u' }, at: at(2), values: { count: 2 } }]);

      expect((await read(view)).map(plain)).toEqual([{ count: 2, mood: 'calm' }]);
      expect((await read(view, { fields: ['mood'] })).map(plain)).toEqual([{ mood: 'calm' }]);
    });

    test.for([
      ['no row', [], 'INVALID_FEATURE_ROW'],
      ['no value', [{ entity: { user: 'u' }, values: {} }], 'INVALID_FEATURE_ROW'],
      ['a list of values', [{ entity: { user: 'u' }, values: [1] }], 'INVALID_FEATURE_ROW'],
      ['a field of no view', [{ entity: { user: 'u' }, values: { x: 1 } }], 'INVALID_FEATURE_ROW'],
      ['another type', [{ entity: { user: 'u' }, values: { count: 'x' } }], 'INVALID_FEATURE_ROW'],
      ['a null', [{ entity: { user: 'u' }, values: { count: null } }], 'INVALID_FEATURE_ROW'],
      ['another entity', [{ entity: { item: 'u' }, values: { count: 1 } }], 'INVALID_ENTITY'],
      [
        'text of no column',
        [{ entity: { user: 'u' }, values: { mood: '\u0000' } }],
        'BAD_USER_INPUT',
      ],
      [
        'more than 5,000 rows',
        Array.from({ length: 5_001 }, (_, nr) => ({ entity: { user: nr }, values: { count: 1 } })),
        'INVALID_FEATURE_ROW',
      ],
    ] as const)('with %s writes nothing', async ([, wrong, code]) => {
      const view = await newView();
      const rows =
        wrong.length === 1 ? [{ entity: { user: 'u' }, values: { count: 1 } }, ...wrong] : wrong;

      expect(await feature.code(ada, write, { input: { view, rows } })).toBe(code);
      expect((await read(view)).map(plain)).toEqual([{ count: null, mood: null }]);
    });

    test('to a view that is not there, or is another tenant’s, is refused', async () => {
      const theirs = await newView(null, mallory);
      for (const view of ['nowhere', theirs]) {
        const rows = [{ entity: { user: 'u' }, values: { count: 1 } }];
        expect(await feature.code(ada, write, { input: { view, rows } })).toBe(
          'FEATURE_VIEW_NOT_FOUND',
        );
        expect(await feature.code(ada, online, { view, entities: [] })).toBe(
          'FEATURE_VIEW_NOT_FOUND',
        );
      }
    });
  });

  test('a value is fresh until its ttl is over, then stale; one never written is missing', async () => {
    const view = await newView(10_000);
    await put(view, [{ entity: { user: 'u' }, at: at(0), values: { mood: 'calm' } }]);
    const kinds = async (asOf: string) =>
      (await read(view, { asOf })).flatMap(({ values }) => values.map(({ value }) => value));
    const missing = { __typename: 'MissingValue', default: 7 };

    expect(await kinds(at(9))).toEqual([
      missing,
      { __typename: 'FreshValue', value: 'calm', at: at(0), ageMs: 9_000 },
    ]);
    expect(await kinds(at(10))).toEqual([
      missing,
      { __typename: 'StaleValue', value: 'calm', at: at(0), ageMs: 10_000 },
    ]);
    expect(await kinds('2024-12-31T23:59:59.999Z')).toEqual([
      missing,
      { __typename: 'MissingValue', default: null },
    ]);
  });

  test.for([
    [
      'more than 1,000 entities',
      { entities: Array.from({ length: 1_001 }, (_, user) => ({ user })) },
      'INVALID_ENTITY',
    ],
    ['an entity of another kind', { entities: [{ item: 1 }] }, 'INVALID_ENTITY'],
    ['a field that is not there', { fields: ['nope'] }, 'BAD_USER_INPUT'],
    ['a version that is not there', { version: 2 }, 'FEATURE_VIEW_NOT_FOUND'],
  ] as const)('reading %s is refused', async ([, over, code]) => {
    const view = await newView();

    expect(await feature.code(ada, online, { view, entities: [{ user: 'u' }], ...over })).toBe(
      code,
    );
  });

  test('the value online at an instant is that of the point-in-time join', async () => {
    const row = fc.record({
      user: fc.constantFrom('a', 'b', 'c'),
      second: fc.integer({ min: 0, max: 20 }),
      values: fc.oneof(
        fc.record({ count: fc.integer() }),
        fc.record({ mood: fc.string({ unit: 'grapheme-ascii' }) }),
        fc.record({ count: fc.integer(), mood: fc.string({ unit: 'grapheme-ascii' }) }),
      ),
    });
    const writes = fc.array(fc.array(row, { minLength: 1, maxLength: 5 }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(writes, fc.integer({ min: -1, max: 21 }), async (batches, second) => {
        const view = await newView();
        for (const batch of batches)
          await put(
            view,
            batch.map(({ user, second: when, values }) => ({
              entity: { user },
              at: at(when),
              values,
            })),
          );
        const users = ['a', 'b', 'c'];
        const joined = users.map((user) => {
          const known = batches
            .flat()
            .filter((given) => given.user === user && given.second <= second)
            .toSorted((a, b) => a.second - b.second);
          return Object.assign({ count: null, mood: null }, ...known.map(({ values }) => values));
        });
        const entities = users.map((user) => ({ user }));

        expect((await read(view, { entities, asOf: at(second) })).map(plain)).toEqual(joined);
      }),
      { numRuns: 12 },
    );
  });

  test('an id always gives the same values, whatever is written in the same millisecond or later', async () => {
    const view = await newView();
    const ids: { id: string; seen: unknown }[] = [];
    for (const count of [1, 2, 3]) {
      await put(view, [{ entity: { user: 'u' }, values: { count } }]);
      const [vector] = await read(view);
      if (vector) ids.push({ id: vector.id, seen: vector });
      await put(view, [
        { entity: { user: 'u' }, at: at(count), values: { mood: `late ${count}` } },
      ]);
      if (count === 2) ground.clock.advance(5);
    }
    const of = ids.map(({ id }) => ({ __typename: 'FeatureVector', id }));

    expect(new Set(ids.map(({ id }) => id)).size).toBe(3);
    expect(ids.map(({ seen }) => plain(seen as Vector)['count'])).toEqual([1, 2, 3]);
    expect(await feature.data(ada, byId, { of })).toEqual({
      _entities: ids.map(({ seen }) => seen),
    });
    expect(await feature.data(mallory, byId, { of })).toEqual({ _entities: [null, null, null] });
  });

  test('writers at once give an id that is still the same when all are done', async () => {
    const view = await newView();
    const writing = Array.from({ length: 8 }, (_, count) =>
      put(view, [{ entity: { user: 'u' }, values: { count } }]),
    );
    const seen: Vector[] = [];
    for (let nr = 0; nr < 8; nr += 1) seen.push(...(await read(view)));
    await Promise.all(writing);
    const of = seen.map(({ id }) => ({ __typename: 'FeatureVector', id }));

    expect(await feature.data(ada, byId, { of })).toEqual({ _entities: seen });
  });

  test('a thousand entities cost one statement for their values', async () => {
    const view = await newView();
    const statements: string[] = [];
    const counting: KyselyPlugin = {
      transformQuery: ({ node }) => {
        statements.push(JSON.stringify(node));
        return node;
      },
      transformResult: async ({ result }) => result,
    };
    const database = Object.assign(Object.create(feature.database), {
      transaction: <Result>(fn: (tx: Kysely<Tables>) => Promise<Result>, options: object) =>
        feature.database.transaction((tx) => fn(tx.withPlugin(counting)), options),
    });
    await using counted = await startOn(ground, { database });
    statements.length = 0;
    const entities = Array.from({ length: 1_000 }, (_, user) => ({ user }));
    const { onlineFeatures } = (await counted.data(ada, online, { view, entities })) as {
      onlineFeatures: readonly unknown[];
    };

    expect(onlineFeatures).toHaveLength(1_000);
    expect(statements.filter((statement) => statement.includes('feature_values'))).toHaveLength(1);
    expect(statements.length).toBeLessThanOrEqual(3);
  });
}
