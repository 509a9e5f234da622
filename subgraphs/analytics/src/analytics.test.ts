import type { Kysely, KyselyPlugin } from 'kysely';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { ServedItem } from './serving/slice.ts';
import type { Tables } from './tables.ts';
import { servedFact, servedItem } from './testing/served-facts.ts';
import {
  type Ground,
  openGround,
  startOn,
  type TestAnalytics,
  viewer,
} from './testing/test-analytics.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const ada = viewer('prn_ada', ['MODEL_ADMIN']);
const mallory = viewer('prn_mallory', ['MODEL_ADMIN'], 'tnt_globex');

let ground: Ground;
let analytics: TestAnalytics;
const statements: string[] = [];
beforeAll(async () => {
  ground = await openGround();
  const database = await ground.database();
  const counting: KyselyPlugin = {
    transformQuery: ({ node }) => {
      statements.push(JSON.stringify(node));
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  const counted = Object.assign(Object.create(database), {
    transaction: <Result>(fn: (tx: Kysely<Tables>) => Promise<Result>, options: object) =>
      database.transaction((tx) => fn(tx.withPlugin(counting)), options),
  });
  analytics = await startOn(ground, { database: counted });
});
afterAll(async () => {
  await analytics?.[Symbol.asyncDispose]();
  await ground?.[Symbol.asyncDispose]();
});

const metrics = `query($of: [_Any!]!, $window: Window!, $every: Duration) { _entities(representations: $of) {
  ... on ModelVersion { metrics(window: $window, every: $every) { requests errors p95Ms completionTokens buckets { from requests } } } } }`;
const hour = { from: '2025-12-31T23:00:00.000Z', to: '2026-01-01T00:00:00.000Z' };
const representations = (...ids: string[]) => ids.map((id) => ({ __typename: 'ModelVersion', id }));

async function metricsOf(versions: readonly string[], who = ada, over: object = {}) {
  const of = representations(...versions);
  const data = await analytics.data(who, metrics, { of, window: hour, ...over });
  return (data['_entities'] as { metrics: { requests: number } }[]).map((found) => found.metrics);
}

async function tell(items: readonly ServedItem[], tenant?: string, times = 1): Promise<void> {
  const fact = servedFact(items, tenant);
  for (let time = 0; time < times; time += 1)
    await ground.bus.publish([{ subject: fact.subject, id: `${fact.id} ${time}`, data: fact }]);
}

const seen = (versionId: string, requests: number, who = ada) =>
  vi.waitFor(async () => expect(await metricsOf([versionId], who)).toMatchObject([{ requests }]), {
    timeout: 20_000,
  });

test('a fact that comes ten times over the bus counts once', async () => {
  await tell([servedItem({ versionId: 'ver_ten' })], undefined, 10);
  await tell([servedItem({ versionId: 'ver_after' })]);
  await seen('ver_after', 1);

  expect(await metricsOf(['ver_ten'])).toMatchObject([{ requests: 1 }]);
});

test('metrics come per bucket as wide as asked, of many versions with one statement', async () => {
  const at = (minute: number) => `2025-12-31T23:${String(minute).padStart(2, '0')}:30.000Z`;
  await tell([
    servedItem({ versionId: 'ver_a', at: at(1) }),
    servedItem({ versionId: 'ver_a', at: at(2), outcome: 'OVERLOADED' }),
    servedItem({ versionId: 'ver_a', at: at(50), completionTokens: 9 }),
    servedItem({ versionId: 'ver_b', at: at(1), totalMs: 100 }),
  ]);
  await seen('ver_b', 1);
  statements.length = 0;
  const found = await metricsOf(['ver_a', 'ver_b', 'ver_none'], ada, { every: '30m' });

  expect(statements.filter((statement) => statement.includes('slices'))).toHaveLength(1);
  expect(found).toMatchObject([
    {
      requests: 3,
      errors: 1,
      completionTokens: 9,
      buckets: [
        { from: '2025-12-31T23:00:00.000Z', requests: 2 },
        { from: '2025-12-31T23:30:00.000Z', requests: 1 },
      ],
    },
    { requests: 1, p95Ms: expect.closeTo(100, -1) },
    { requests: 0, p95Ms: null, buckets: [] },
  ]);
});

test('versions and principals come in pages, busiest first', async () => {
  const tenant = 'tnt_pages';
  const pat = viewer('prn_pat', ['TENANT_ADMIN'], tenant);
  for (const [nr, name] of ['c', 'a', 'b'].entries())
    await tell(
      Array.from({ length: nr + 1 }, () =>
        servedItem({ versionId: `ver_${name}`, principalId: `prn_${name}` }),
      ),
      tenant,
    );
  await seen('ver_b', 3, pat);
  const page = `query($window: Window!, $after: String) {
    serving(window: $window, first: 2, after: $after) { edges { cursor node { modelVersion { id } metrics { requests } } } pageInfo { hasNextPage endCursor } }
    usage(window: $window, first: 2, after: $after) { edges { node { principal { id } requests } } pageInfo { hasNextPage } } }`;
  const first = await analytics.data(pat, page, { window: hour });
  const { endCursor: after } = (first['serving'] as { pageInfo: { endCursor: string } }).pageInfo;
  const second = await analytics.data(pat, page, { window: hour, after });

  expect(first).toMatchObject({
    serving: {
      edges: [
        { node: { modelVersion: { id: 'ver_b' }, metrics: { requests: 3 } } },
        { node: { modelVersion: { id: 'ver_a' }, metrics: { requests: 2 } } },
      ],
      pageInfo: { hasNextPage: true },
    },
    usage: {
      edges: [
        { node: { principal: { id: 'prn_b' }, requests: 3 } },
        { node: { principal: { id: 'prn_a' }, requests: 2 } },
      ],
    },
  });
  expect(second).toMatchObject({
    serving: {
      edges: [{ node: { modelVersion: { id: 'ver_c' } } }],
      pageInfo: { hasNextPage: false },
    },
    usage: { edges: [{ node: { principal: { id: 'prn_c' } } }], pageInfo: { hasNextPage: false } },
  });
});

describe('refused', () => {
  const far = '999999999d';
  test.for([
    ['no window', {}],
    ['both forms', { last: '1h', from: hour.from }],
    ['an empty one', { from: hour.to, to: hour.from }],
    ['more than 90 days', { last: '91d' }],
    ['longer than time is', { last: far }],
  ] as const)('%s', async ([, window]) => {
    const of = representations('ver_a');

    expect(await analytics.code(ada, metrics, { of, window })).toBe('BAD_USER_INPUT');
    expect(
      await analytics.code(
        ada,
        'query($window: Window!) { usage(window: $window) { edges { cursor } } }',
        { window },
      ),
    ).toBe('BAD_USER_INPUT');
  });

  test('buckets below a second or beyond a thousand, and cursors of elsewhere', async () => {
    const of = representations('ver_a');
    for (const every of ['999ms', '3s'])
      expect(await analytics.code(ada, metrics, { of, window: hour, every })).toBe(
        'BAD_USER_INPUT',
      );
    const list =
      'query($window: Window!, $after: String) { serving(window: $window, after: $after) { edges { cursor } } }';
    for (const parts of [['name'], [-1], [0.5], []]) {
      const after = Buffer.from(JSON.stringify(parts)).toString('base64url');
      const code = await analytics.code(ada, list, { window: hour, after });
      expect(code).toBe('BAD_USER_INPUT');
    }
  });

  test('usage to those who do not administer, everything to those without a role', async () => {
    const usage = 'query($window: Window!) { usage(window: $window) { edges { cursor } } }';
    const of = representations('ver_a');

    for (const role of ['MODEL_USER', 'DATA_SCIENTIST'] as const)
      expect(await analytics.code(viewer('prn_x', [role]), usage, { window: hour })).toBe(
        'FORBIDDEN',
      );
    expect(await analytics.code(viewer('prn_x', []), metrics, { of, window: hour })).toBe(
      'FORBIDDEN',
    );
  });
});

describe('live metrics', () => {
  const subscription = `subscription($model: String, $everyMs: Int!) { servingMetrics(model: $model, everyMs: $everyMs) {
    modelVersion { id } metrics { requests } } }`;

  async function* heard(
    who: typeof ada,
    variables: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ) {
    for await (const { data, errors } of await analytics.subscribe(
      who,
      subscription,
      variables,
      signal,
    ))
      yield (data?.['servingMetrics'] ?? errors?.[0]?.extensions?.['code']) as {
        modelVersion: { id: string };
      };
  }

  test('tell of the model asked and the own tenant alone, and go on after a message that is no fact', async () => {
    const leaving = new AbortController();
    const versions: string[] = [];
    const listening = (async () => {
      for await (const update of heard(ada, { model: 'digits', everyMs: 250 }, leaving.signal)) {
        versions.push(update.modelVersion.id);
        if (update.modelVersion.id === 'ver_last') return;
      }
    })();
    await ground.bus.publish([
      { subject: servedFact([]).subject, id: 'no fact', data: { wrong: true } },
    ]);
    await tell([servedItem({ versionId: 'ver_theirs' })], 'tnt_globex');
    await tell([servedItem({ versionId: 'ver_tale', model: 'storyteller' })]);
    const telling = setInterval(() => void tell([servedItem({ versionId: 'ver_last' })]), 200);
    await listening.finally(() => clearInterval(telling));
    leaving.abort();

    expect(new Set(versions)).toEqual(new Set(['ver_last']));
  });

  test('end at once with their subscriber, and leave nothing behind', async () => {
    const leaving = new AbortController();
    const stream = await analytics.subscribe(
      ada,
      subscription,
      { everyMs: 60_000 },
      leaving.signal,
    );
    const next = stream[Symbol.asyncIterator]().next();
    leaving.abort();

    await expect(next).resolves.toMatchObject({ done: true });
  });

  test('are refused below 250 ms and above a minute', async () => {
    for (const everyMs of [249, 60_001])
      for await (const code of heard(ada, { everyMs }, AbortSignal.timeout(10_000)))
        expect(code).toBe('BAD_USER_INPUT');
  });
});

test('another tenant sees no figure', async () => {
  await tell([servedItem({ versionId: 'ver_mine' })], 'tnt_mine');
  await seen('ver_mine', 1, viewer('prn_me', ['MODEL_USER'], 'tnt_mine'));

  expect(await metricsOf(['ver_mine'], mallory)).toMatchObject([{ requests: 0, buckets: [] }]);
});
