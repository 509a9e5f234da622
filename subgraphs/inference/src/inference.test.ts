import { cancelled, overloaded } from '@opea/kernel/errors';
import type { Database } from '@opea/kernel/postgres';
import { served } from '@opea/schema/events';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Tables } from './tables.ts';
import {
  type Ground,
  openGround,
  startOn,
  type TestInference,
  viewer,
} from './testing/test-inference.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const ada = viewer('prn_ada', ['MODEL_USER']);
const nobody = viewer('prn_nobody', []);
const mallory = viewer('prn_mallory', ['MODEL_USER'], 'tnt_globex');

let ground: Ground;
let inference: TestInference;
beforeAll(async () => {
  ground = await openGround();
  inference = await startOn(ground);
});
afterEach(() => {
  inference.runtime.script.failure = undefined;
  delete inference.runtime.script.pauseAt;
});
afterAll(async () => {
  await inference?.[Symbol.asyncDispose]();
  await ground?.[Symbol.asyncDispose]();
});

const predict = `mutation($input: PredictInput!) { predict(input: $input) { id outputs { data } } }`;
const input = (over: Readonly<Record<string, unknown>> = {}) => ({
  model: 'echo',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [2], data: [1, 2] }],
  ...over,
});
const prediction = `query($id: ID!) { prediction(id: $id) {
  id modelVersion { id } outputs { name data } timing { totalMs } batch { size } features { id } requestedBy { id } } }`;
const start = `mutation($input: GenerateInput!) { startGeneration(input: $input) { id state } }`;
const generation = `query($id: ID!) { generation(id: $id) {
  state text finishReason usage { totalTokens } } }`;

async function predicted(who = ada, over: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const data = (await inference.data(who, predict, { input: input(over) })) as {
    predict: { id: string };
  };
  return data.predict.id;
}

async function started(on = inference, who = ada): Promise<string> {
  const data = (await on.data(who, start, { input: { model: 'echo', prompt: 'Once' } })) as {
    startGeneration: { id: string };
  };
  return data.startGeneration.id;
}

async function tokens(who: typeof ada, id: string, after?: string) {
  const argument = after === undefined ? '' : `, after: "${after}"`;
  const stream = await inference.subscribe(
    who,
    `subscription { tokens(generation: "${id}"${argument}) { index text cursor finishReason } }`,
  );
  const heard: unknown[] = [];
  for await (const { data, errors } of stream)
    heard.push(data?.['tokens'] ?? errors?.[0]?.extensions?.['code']);
  return heard;
}

/** What was told on the bus of these requests, once all of them have been. */
async function told(ids: readonly string[]) {
  const signal = AbortSignal.timeout(20_000);
  const found = new Map<string, ReturnType<typeof served.parse>['data']['items'][number]>();
  for await (const message of ground.bus.read({
    subjects: [served.subject],
    after: 'start',
    signal,
  })) {
    for (const item of served.parse(message.data).data.items)
      if (ids.includes(item.id)) found.set(item.id, item);
    if (found.size === ids.length) break;
  }
  return ids.map((id) => found.get(id));
}

/** A database whose transactions fail while it is away. */
function fickle(database: Database<Tables>) {
  const state = { away: false, failures: 0 };
  const proxied: Database<Tables> = Object.assign(Object.create(database), {
    transaction(...given: Parameters<Database<Tables>['transaction']>) {
      if (state.away) {
        state.failures += 1;
        return Promise.reject(overloaded({ retryAfterMs: 1 }));
      }
      return database.transaction(...given);
    },
    query: database.query,
    signals: database.signals,
    migrate: database.migrate.bind(database),
    service: database.service,
  });
  return { state, database: proxied };
}

describe('a prediction', () => {
  test('is found at once, and after a restart as it was', async () => {
    const database = await ground.database();
    const first = await startOn(ground, { database });
    const { predict: answer } = (await first.data(ada, predict, {
      input: input({ features: ['fvc_1'] }),
    })) as { predict: { id: string } };
    const before = await first.data(ada, prediction, { id: answer.id });
    await first[Symbol.asyncDispose]();
    await using second = await startOn(ground, { database });

    expect(before).toEqual({
      prediction: {
        id: answer.id,
        modelVersion: { id: 'ver_echo' },
        outputs: [{ name: 'x', data: [1, 2] }],
        timing: { totalMs: 3 },
        batch: { size: 4 },
        features: [{ id: 'fvc_1' }],
        requestedBy: { id: 'prn_ada' },
      },
    });
    await expect(second.data(ada, prediction, { id: answer.id })).resolves.toEqual(before);
  });

  test('is found while the store is away, and told once it is back', async () => {
    const { state, database } = fickle(await ground.database());
    await using one = await startOn(ground, { database });
    state.away = true;
    const ids = await Promise.all(
      [1, 2, 3].map(async () => {
        const answer = (await one.data(ada, predict, { input: input() })) as {
          predict: { id: string };
        };
        return answer.predict.id;
      }),
    );
    await vi.waitFor(() => expect(state.failures).toBeGreaterThan(1));

    for (const id of ids)
      await expect(one.data(ada, prediction, { id })).resolves.toMatchObject({
        prediction: { id },
      });
    state.away = false;
    await expect(told(ids)).resolves.toEqual(ids.map((id) => expect.objectContaining({ id })));
  });

  test('that no column can hold costs itself alone', async () => {
    const bad = { inputs: [{ name: 'x', datatype: 'BYTES', shape: [1], data: ['a\u0000b'] }] };
    const [before, lost, later] = [await predicted(), await predicted(ada, bad), await predicted()];

    await told([before, later]);
    for (const id of [before, later])
      await expect(inference.data(ada, prediction, { id })).resolves.toMatchObject({
        prediction: { id },
      });
    await expect(inference.data(ada, prediction, { id: lost })).resolves.toEqual({
      prediction: null,
    });
  });

  test('keeps no outputs beyond 256 KiB, of text as of numbers', async () => {
    const text = 'x'.repeat(200_000);
    const large = { inputs: [{ name: 'x', datatype: 'BYTES', shape: [2], data: [text, text] }] };
    const id = await predicted(ada, large);

    await expect(inference.data(ada, prediction, { id })).resolves.toMatchObject({
      prediction: { id, outputs: [] },
    });
  });

  test.for([
    ['a priority of 0', { priority: 0 }, 'INVALID_INPUT'],
    ['a priority of 4', { priority: 4 }, 'INVALID_INPUT'],
    ['no time at all', { deadlineMs: 0 }, 'INVALID_INPUT'],
    ['a deadline beyond 30 s', { deadlineMs: 30_001 }, 'INVALID_INPUT'],
    ['alias and version at once', { alias: 'production', version: 1 }, 'AMBIGUOUS_VERSION'],
    ['a model that is not there', { model: 'nope' }, 'MODEL_NOT_FOUND'],
  ] as const)('with %s is refused', async ([, over, code]) => {
    await expect(inference.code(ada, predict, { input: input(over) })).resolves.toBe(code);
  });

  test('that fails is counted with the code that the caller got', async () => {
    inference.runtime.script.failure = overloaded({ retryAfterMs: 5 });
    await expect(inference.code(ada, predict, { input: input() })).resolves.toBe('OVERLOADED');
    inference.runtime.script.failure = new Error('boom');
    await expect(inference.code(ada, predict, { input: input() })).resolves.toBe('INTERNAL_ERROR');
    inference.runtime.script.failure = undefined;
    const good = await predicted();
    await told([good]);
    const outcomes = new Set<string>();
    for await (const message of ground.bus.read({
      subjects: [served.subject],
      after: 'start',
      signal: AbortSignal.timeout(20_000),
    })) {
      for (const { outcome } of served.parse(message.data).data.items) outcomes.add(outcome);
      if (outcomes.size >= 3) break;
    }

    expect(outcomes).toEqual(new Set(['OK', 'OVERLOADED', 'INTERNAL_ERROR']));
  });
});

test('predictions come in pages, newest first, of one version if asked', async () => {
  await using one = await startOn(ground);
  const ids: string[] = [];
  for (let nr = 0; nr < 5; nr += 1) {
    const answer = (await one.data(ada, predict, { input: input() })) as {
      predict: { id: string };
    };
    ids.push(answer.predict.id);
  }
  const list = `query($after: String, $version: ID) {
    predictions(first: 2, after: $after, filter: { modelVersionId: $version }) {
      edges { node { id } } pageInfo { hasNextPage endCursor } } }`;
  const seen: string[] = [];
  for (let after: string | null = null, more = true; more; ) {
    const { predictions } = (await one.data(ada, list, { after, version: 'ver_echo' })) as {
      predictions: {
        edges: { node: { id: string } }[];
        pageInfo: { hasNextPage: boolean; endCursor: string };
      };
    };
    seen.push(...predictions.edges.map(({ node }) => node.id));
    ({ hasNextPage: more, endCursor: after } = predictions.pageInfo);
  }

  expect(seen).toEqual(ids.toReversed());
  await expect(one.data(ada, list, { version: 'ver_other' })).resolves.toMatchObject({
    predictions: { edges: [] },
  });
});

describe('a generation', () => {
  test('gives every token once and in order, to whoever comes late and from any cursor on', async () => {
    const id = await started();
    const all = await tokens(ada, id);

    expect(all).toEqual([
      { index: 0, text: 'Once', cursor: '0', finishReason: null },
      { index: 1, text: ' upon', cursor: '1', finishReason: null },
      { index: 2, text: ' a', cursor: '2', finishReason: null },
      { index: 3, text: ' time', cursor: '3', finishReason: null },
      { index: 4, text: '', cursor: '4', finishReason: 'STOP' },
    ]);
    for (let seen = 0; seen < 5; seen += 1)
      await expect(tokens(ada, id, String(seen))).resolves.toEqual(all.slice(seen + 1));
    await expect(tokens(ada, id, 'x')).resolves.toEqual(['INVALID_CURSOR']);
  });

  test('can be followed while it pauses, and after a restart', async () => {
    const database = await ground.database();
    const first = await startOn(ground, { database });
    first.runtime.script.pauseAt = 2;
    const id = await started(first);
    await vi.waitFor(async () =>
      expect(await first.data(ada, generation, { id })).toMatchObject({
        generation: { state: 'RUNNING', text: 'Once upon' },
      }),
    );
    first.runtime.release();
    await vi.waitFor(async () =>
      expect(await first.data(ada, generation, { id })).toMatchObject({
        generation: { state: 'FINISHED' },
      }),
    );
    const before = await first.data(ada, generation, { id });
    await first[Symbol.asyncDispose]();
    await using second = await startOn(ground, { database });

    expect(before).toEqual({
      generation: {
        state: 'FINISHED',
        text: 'Once upon a time',
        finishReason: 'STOP',
        usage: { totalTokens: 6 },
      },
    });
    await expect(second.data(ada, generation, { id })).resolves.toEqual(before);
  });

  test('keeps what it said when the service stops below it', async () => {
    const database = await ground.database();
    const first = await startOn(ground, { database });
    first.runtime.script.pauseAt = 2;
    const id = await started(first);
    await vi.waitFor(async () =>
      expect(await first.data(ada, generation, { id })).toMatchObject({
        generation: { text: 'Once upon' },
      }),
    );
    await first[Symbol.asyncDispose]();
    await using second = await startOn(ground, { database });

    await expect(second.data(ada, generation, { id })).resolves.toMatchObject({
      generation: { state: 'FINISHED', text: 'Once upon', finishReason: 'CANCELLED' },
    });
  });

  test.for([
    ['says so in its last word', undefined],
    ['breaks off', cancelled({})],
  ] as const)('that is cancelled keeps what it said, when the runtime %s', async ([, failure]) => {
    inference.runtime.script.pauseAt = 1;
    inference.runtime.script.failure = failure;
    const id = await started();
    const cancel = 'mutation($id: ID!) { cancelGeneration(id: $id) { id } }';
    await vi.waitFor(async () =>
      expect(await inference.data(ada, generation, { id })).toMatchObject({
        generation: { text: 'Once' },
      }),
    );

    await expect(inference.code(mallory, cancel, { id })).resolves.toBe('GENERATION_NOT_FOUND');
    await expect(inference.data(ada, cancel, { id })).resolves.toEqual({
      cancelGeneration: { id },
    });
    await vi.waitFor(async () =>
      expect(await inference.data(ada, generation, { id })).toMatchObject({
        generation: { state: 'FINISHED', text: 'Once', finishReason: 'CANCELLED' },
      }),
    );
    await expect(inference.data(ada, cancel, { id })).resolves.toEqual({
      cancelGeneration: { id },
    });
  });

  test('that fails says so to its followers, and keeps what it said', async () => {
    inference.runtime.script.failure = overloaded({ retryAfterMs: 5 });
    const id = await started();
    const heard = await tokens(ada, id);
    const [item] = await told([id]);

    expect(heard.slice(0, 4)).toMatchObject([
      { index: 0 },
      { index: 1 },
      { index: 2 },
      { index: 3 },
    ]);
    expect(heard.slice(4)).toEqual(['OVERLOADED']);
    expect(item?.outcome).toBe('OVERLOADED');
    await expect(inference.data(ada, generation, { id })).resolves.toMatchObject({
      generation: { state: 'FAILED', text: 'Once upon a time', finishReason: 'ERROR' },
    });
    const whole = 'mutation($input: GenerateInput!) { generate(input: $input) { text } }';
    await expect(
      inference.code(ada, whole, { input: { model: 'echo', prompt: 'x' } }),
    ).resolves.toBe('OVERLOADED');
  });
});

describe('another tenant', () => {
  test('finds nothing, before and after it is written', async () => {
    const [id, gen] = [await predicted(), await started()];
    const entities = `{ _entities(representations: [{ __typename: "Prediction", id: "${id}" }]) { __typename } }`;
    const look = async () => {
      expect(await inference.data(mallory, prediction, { id })).toEqual({ prediction: null });
      expect(await inference.data(mallory, generation, { id: gen })).toEqual({ generation: null });
      expect(await inference.data(mallory, entities)).toEqual({ _entities: [null] });
      expect(await tokens(mallory, gen)).toEqual(['GENERATION_NOT_FOUND']);
      expect(await inference.data(mallory, '{ predictions { edges { node { id } } } }')).toEqual({
        predictions: { edges: [] },
      });
    };

    await look();
    await told([id, gen]);
    await look();
  });

  test('and none at all see no row', async () => {
    const id = await predicted();
    await told([id]);
    const count = (tenant?: string) =>
      inference.database.transaction(
        async (tx) =>
          (await tx.selectFrom('predictions').select('id').where('id', '=', id).execute()).length,
        tenant === undefined ? {} : { tenant },
      );

    await expect(count()).resolves.toBe(0);
    await expect(count('tnt_globex')).resolves.toBe(0);
    await expect(count('tnt_acme')).resolves.toBe(1);
  });
});

test('nobody without a role may ask anything', async () => {
  const serving =
    '{ _entities(representations: [{ __typename: "ModelVersion", id: "ver_echo" }]) { ... on ModelVersion { serving { state } } } }';

  await expect(inference.code(nobody, predict, { input: input() })).resolves.toBe('FORBIDDEN');
  await expect(inference.code(nobody, prediction, { id: 'x' })).resolves.toBe('FORBIDDEN');
  await expect(inference.code(nobody, generation, { id: 'x' })).resolves.toBe('FORBIDDEN');
  await expect(inference.code(nobody, serving)).resolves.toBe('FORBIDDEN');
  await expect(tokens(nobody, 'gen_x')).resolves.toEqual(['FORBIDDEN']);
});

test('a version that the runtime does not know is not in memory', async () => {
  const query = `query($of: [_Any!]!) { _entities(representations: $of) {
    ... on ModelVersion { serving { state reason } } } }`;
  const of = ['ver_echo', 'ver_unknown'].map((id) => ({ __typename: 'ModelVersion', id }));

  await expect(inference.data(ada, query, { of })).resolves.toEqual({
    _entities: [
      { serving: { state: 'READY', reason: null } },
      { serving: { state: 'UNLOADED', reason: null } },
    ],
  });
});
