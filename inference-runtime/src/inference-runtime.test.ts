import { systemClock } from '@opea/kernel/clock';
import { silentLogger } from '@opea/kernel/log';
import { createMetrics, metricsText } from '@opea/kernel/metrics';
import { readOnnxSignature } from '@opea/kernel/onnx';
import type { ModelRef, PredictResult, RequestOptions, Tensor } from '@opea/schema/runtime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ManagedRuntime, startInferenceRuntime } from './inference-runtime.ts';
import { graphBuilder } from './onnx/index.ts';
import { fakeRegistry } from './testing/fake-registry.ts';
import { temporaryFolder } from './testing/model-files.ts';
import {
  affineModel,
  logarithmModel,
  lookupModel,
  perceptronModel,
  raggedModel,
  seededFloats,
  singleRowModel,
} from './testing/tiny-models.ts';

const registry = fakeRegistry();
const metrics = createMetrics();
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let runtime: ManagedRuntime;

beforeAll(async () => {
  folder = await temporaryFolder();
  const { objects, bus } = registry;
  runtime = await startInferenceRuntime({
    objects,
    bus,
    cacheFolder: folder.path,
    clock: systemClock,
    logger: silentLogger,
    metrics,
    config: { catalogueWaitMs: 200 },
  });
  for (const [name, bytes] of [
    ['affine', affineModel()],
    ['perceptron', perceptronModel()],
    ['lookup', lookupModel()],
    ['logarithm', logarithmModel()],
    ['ragged', raggedModel()],
    ['single', singleRowModel()],
  ] as const)
    registry.promote(registry.publish(name, bytes));
});

afterAll(async () => {
  await runtime[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const ref = (model: string): ModelRef => ({ tenant: registry.tenant, model });
let requests = 0;
const asked = (extra: Partial<RequestOptions> = {}): RequestOptions => ({
  requestId: `r${++requests}`,
  tenant: registry.tenant,
  signal: new AbortController().signal,
  ...extra,
});
const floats = (name: string, shape: readonly number[], ...values: number[]): Tensor => ({
  name,
  datatype: 'FP32',
  shape,
  data: Float32Array.from(values),
});
const ids = (...values: number[]): Tensor => ({
  name: 'ids',
  datatype: 'INT64',
  shape: [values.length, 1],
  data: BigInt64Array.from(values.map(BigInt)),
});

test('a prediction names the version that answered and how it ran', async () => {
  const { version, outputs, timing, batch } = await runtime.predict(
    ref('affine'),
    [floats('x', [1, 4], 1, 2, 3, 4)],
    asked(),
  );

  expect(version).toMatchObject({ model: 'affine', number: 1, state: 'READY', kind: 'TENSOR' });
  expect(outputs).toEqual([floats('y', [1, 4], 3, 5, 7, 9)]);
  expect(timing.totalMs).toBeGreaterThanOrEqual(timing.computeMs);
  expect(batch).toMatchObject({ size: 1, executionId: expect.any(String) });
});

test('64 concurrent predictions run in fewer executions than calls, with the answers of single runs', async () => {
  const inputs = Array.from({ length: 64 }, (_, seed) => seededFloats(16, { seed: seed + 1 }));
  const predict = (data: Float32Array) =>
    runtime.predict(
      ref('perceptron'),
      [{ name: 'x', datatype: 'FP32', shape: [1, 16], data }],
      asked(),
    );

  const together = await Promise.all(inputs.map(predict));
  const alone: PredictResult[] = [];
  for (const input of inputs) alone.push(await predict(input));

  const executions = new Set(together.map(({ batch }) => batch.executionId));
  expect(executions.size).toBeLessThan(64);
  expect(new Set(alone.map(({ batch }) => batch.executionId)).size).toBe(64);
  for (const [index, { outputs }] of together.entries()) {
    const difference = Math.max(
      ...Array.from(outputs[0]?.data as Float32Array, (value, at) =>
        Math.abs(value - Number(alone[index]?.outputs[0]?.data[at])),
      ),
    );
    expect(difference).toBeLessThan(1e-6);
  }
});

test('a request may bring several rows, and gets exactly its own back', async () => {
  const answers = await Promise.all([
    runtime.predict(ref('affine'), [floats('x', [1, 4], 0, 0, 0, 0)], asked()),
    runtime.predict(ref('affine'), [floats('x', [2, 4], 1, 1, 1, 1, 2, 2, 2, 2)], asked()),
  ]);

  expect(answers[0].outputs).toEqual([floats('y', [1, 4], 1, 1, 1, 1)]);
  expect(answers[1].outputs).toEqual([floats('y', [2, 4], 3, 3, 3, 3, 5, 5, 5, 5)]);
  expect(answers[0].batch).toEqual(answers[1].batch);
  expect(answers[0].batch.size).toBe(3);
});

test('a row that the native runtime refuses fails alone', async () => {
  const asks = [1, 2, 99, 3, 4].map((id) => runtime.predict(ref('lookup'), [ids(id)], asked()));

  const answers = await Promise.allSettled(asks);

  expect(answers.map(({ status }) => status)).toEqual([
    'fulfilled',
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
  ]);
  await expect(asks[2]).rejects.toMatchObject({ kind: { code: 'EXECUTION_FAILED' } });
});

test('a row whose output is not finite fails alone with NON_FINITE_OUTPUT', async () => {
  const asks = [1, -1, 2].map((x) =>
    runtime.predict(ref('logarithm'), [floats('x', [1, 1], x)], asked()),
  );

  await expect(asks[1]).rejects.toMatchObject({ kind: { code: 'NON_FINITE_OUTPUT' } });
  expect((await asks[0])?.outputs[0]?.data).toEqual(Float32Array.of(0));
  expect((await asks[2])?.outputs[0]?.data[0]).toBeCloseTo(Math.log(2));
});

test('rows of different lengths are each answered, and share an execution only with their own length', async () => {
  const pair = (...values: number[]) => [
    floats('a', [1, values.length], ...values),
    floats('b', [1, values.length], ...values),
  ];

  const answers = await Promise.all(
    [pair(1), pair(2, 3), pair(4), pair(5, 6)].map((inputs) =>
      runtime.predict(ref('ragged'), inputs, asked()),
    ),
  );

  expect(answers.map(({ outputs }) => Array.from(outputs[0]?.data ?? [], Number))).toEqual([
    [2],
    [4, 6],
    [8],
    [10, 12],
  ]);
  expect(answers[0]?.batch.executionId).not.toBe(answers[1]?.batch.executionId);
});

test('a model with a fixed first dimension answers concurrent requests one by one', async () => {
  const answers = await Promise.all(
    [1, 2].map((x) => runtime.predict(ref('single'), [floats('x', [1, 2], x, x)], asked())),
  );

  expect(answers.map(({ outputs }) => outputs[0]?.data[0])).toEqual([-1, -2]);
  expect(answers.map(({ batch }) => batch.size)).toEqual([1, 1]);
});

test.each([
  ['an empty batch', 'affine', [floats('x', [0, 4])], 'inputs.x: holds no row'],
  ['too many rows', 'affine', [floats('x', [65, 4], ...Array(260).fill(1))], 'inputs.x: has 65'],
  ['a wrong dimension', 'affine', [floats('x', [1, 3], 1, 2, 3)], 'inputs.x: has 3'],
  ['a wrong rank', 'affine', [floats('x', [4], 1, 2, 3, 4)], 'inputs.x: has 1 dimensions'],
  ['a wrong name', 'affine', [floats('z', [1, 4], 1, 2, 3, 4)], 'inputs.z: is no input'],
  ['a missing input', 'affine', [], 'inputs.x: is missing'],
  [
    'an extra input',
    'affine',
    [floats('x', [1, 4], 1, 2, 3, 4), floats('y', [1, 1], 1)],
    'inputs.y: is no input',
  ],
  [
    'an input given twice',
    'affine',
    [floats('x', [1, 4], 1, 2, 3, 4), floats('x', [1, 4], 1, 2, 3, 4)],
    'inputs.x: is given twice',
  ],
  [
    'a wrong datatype',
    'affine',
    [{ name: 'x', datatype: 'FP64', shape: [1, 4], data: new Float64Array(4) } as const],
    'inputs.x: has datatype FP64',
  ],
  [
    'data of another kind than declared',
    'affine',
    [{ name: 'x', datatype: 'FP32', shape: [1, 4], data: new Float64Array(4) } as const],
    'inputs.x: does not hold',
  ],
  ['too little data', 'affine', [floats('x', [1, 4], 1, 2)], 'inputs.x: holds 2 elements'],
  ['a negative dimension', 'affine', [floats('x', [-1, 4])], 'inputs.x: has -1'],
  ['NaN', 'affine', [floats('x', [1, 4], 1, Number.NaN, 3, 4)], 'inputs.x: holds NaN'],
  [
    'an infinity',
    'affine',
    [floats('x', [1, 4], 1, Number.POSITIVE_INFINITY, 3, 4)],
    'inputs.x: holds NaN',
  ],
  [
    'inputs that disagree on a free dimension',
    'ragged',
    [floats('a', [1, 2], 1, 2), floats('b', [1, 3], 1, 2, 3)],
    'inputs.b: has 3 for dimension length',
  ],
] as const)(
  '%s is refused with INVALID_INPUT naming the field',
  async (_, model, inputs, message) => {
    await expect(runtime.predict(ref(model), inputs, asked())).rejects.toMatchObject({
      kind: { code: 'INVALID_INPUT', status: 400 },
      message: expect.stringContaining(message),
    });
  },
);

test('an unknown model is MODEL_NOT_FOUND', async () => {
  await expect(runtime.predict(ref('nobody'), [], asked())).rejects.toMatchObject({
    kind: { code: 'MODEL_NOT_FOUND', status: 404 },
  });
});

test("another tenant's model is MODEL_NOT_FOUND", async () => {
  await expect(
    runtime.predict({ tenant: 'other', model: 'affine' }, [], asked()),
  ).rejects.toMatchObject({ kind: { code: 'MODEL_NOT_FOUND' } });
});

test('a request that is cancelled before it came is CANCELLED', async () => {
  const signal = AbortSignal.abort();

  await expect(
    runtime.predict(ref('affine'), [floats('x', [1, 4], 1, 2, 3, 4)], asked({ signal })),
  ).rejects.toMatchObject({ kind: { code: 'CANCELLED' } });
});

test('a version that is promoted under load takes over without an error or a mixed batch', async () => {
  registry.promote(registry.publish('swapped', affineModel({ scale: 2 })));
  const answers: { number: number; scale: number; execution: string }[] = [];
  const stopped = new AbortController();
  const client = async () => {
    while (!stopped.signal.aborted) {
      const { version, outputs, batch } = await runtime.predict(
        ref('swapped'),
        [floats('x', [1, 4], 1, 1, 1, 1)],
        asked(),
      );
      answers.push({
        number: version.number,
        scale: Number(outputs[0]?.data[0]) - 1,
        execution: batch.executionId,
      });
    }
  };
  const clients = Array.from({ length: 8 }, client);
  await expect.poll(() => answers.length).toBeGreaterThan(50);

  const next = registry.publish('swapped', affineModel({ scale: 3 }));
  registry.promote(next);
  await expect.poll(() => answers.at(-1)?.number).toBe(next.number);
  stopped.abort();
  await Promise.all(clients);

  expect(answers.every(({ number, scale }) => scale === (number === next.number ? 3 : 2))).toBe(
    true,
  );
  const versions = new Map(answers.map(({ execution, number }) => [execution, number]));
  expect(answers.every(({ execution, number }) => versions.get(execution) === number)).toBe(true);
});

const good = affineModel({ scale: 4 });
const onnx = (edit: (graph: ReturnType<typeof graphBuilder>) => void) => {
  const graph = graphBuilder('odd');
  graph.input('x', 'float32', ['batch', 4]);
  edit(graph);
  graph.output('y', 'float32', ['batch', 4]);
  return graph.build();
};

test.each([
  ['whose stored file is another', affineModel({ scale: 5 }), Uint8Array.of(1, 2, 3)],
  ['whose file is gone', affineModel({ scale: 6 }), undefined],
  ['that is garbage', new TextEncoder().encode('not a model at all'), 'same'],
  ['that is empty', new Uint8Array(0), 'same'],
  ['that is cut off', good.slice(0, good.byteLength - 20), 'same'],
  ['with an operator nobody knows', onnx((graph) => graph.node('Frobnicate', ['x'], 'y')), 'same'],
  [
    'whose weights lie in another file',
    onnx((graph) => {
      graph.constant({
        name: 'w',
        dims: [4],
        dataType: 1,
        dataLocation: 1,
        externalData: [{ key: 'location', value: '/etc/passwd' }],
      });
      graph.node('Add', ['x', 'w'], 'y');
    }),
    'same',
  ],
  ['that has other inputs than were published', perceptronModel({ width: 4 }), 'other'],
] as const)('a promoted version %s leaves the old one serving', async (what, bytes, stored) => {
  const model = `steady, then one ${what}`;
  const old = registry.publish(model, affineModel());
  registry.promote(old);
  const predict = () => runtime.predict(ref(model), [floats('x', [1, 4], 1, 1, 1, 1)], asked());
  expect((await predict()).version.number).toBe(old.number);

  const signature = readOnnxSignature(stored === 'other' ? lookupModel() : good);
  const bad = registry.publish(model, bytes, signature);
  if (stored === undefined) registry.stored.delete(bad.digest);
  else if (typeof stored !== 'string') registry.stored.set(bad.digest, stored);
  registry.promote(bad);
  const stateOf = async (id: string) =>
    (await runtime.models()).find(({ versionId }) => versionId === id);
  await expect.poll(async () => (await stateOf(bad.versionId))?.state).toBe('FAILED');

  expect((await stateOf(bad.versionId))?.reason).not.toBe('');
  expect((await predict()).version.number).toBe(old.number);
});

test('a retired version is no longer found', async () => {
  const version = registry.publish('old', affineModel());
  registry.promote(version);
  const predict = () => runtime.predict(ref('old'), [floats('x', [1, 4], 1, 1, 1, 1)], asked());
  await predict();

  registry.retire(version);

  await expect
    .poll(() => predict().catch(({ kind }: { kind: { code: string } }) => kind.code))
    .toBe('MODEL_NOT_FOUND');
});

test('a policy that is set live bounds the next batch, and one out of range is refused', async () => {
  registry.promote(registry.publish('configured', affineModel()));
  const ask = () => runtime.predict(ref('configured'), [floats('x', [1, 4], 1, 1, 1, 1)], asked());
  await ask();
  await runtime.configure(ref('configured'), { maxBatch: 3 });

  const answers = await Promise.all(Array.from({ length: 12 }, ask));

  expect(Math.max(...answers.map(({ batch }) => batch.size))).toBe(3);
  await expect(runtime.configure(ref('configured'), { maxBatch: 0 })).rejects.toMatchObject({
    kind: { code: 'INVALID_INPUT' },
    message: expect.stringContaining('batching.maxBatch'),
  });
});

test('tuning measures a model and sets a policy under the target', async () => {
  registry.promote(registry.publish('tuned', perceptronModel({ width: 64 })));

  const { policy, measurements } = await runtime.tune(ref('tuned'), { latencyMs: 500 });

  expect(measurements[0]).toMatchObject({ rows: 1 });
  expect(policy.maxBatch).toBeGreaterThan(1);
  const chosen = measurements.find(({ rows }) => rows === policy.maxBatch);
  expect(2 * (chosen?.ms ?? Number.NaN) + policy.maxDelayMs).toBeLessThanOrEqual(500.1);
});

test('1,000 cancelled predictions leave nothing waiting and nothing running', async () => {
  const outcomes = await Promise.all(
    Array.from({ length: 1_000 }, async (_, index) => {
      const aborter = new AbortController();
      const answer = runtime.predict(
        ref('perceptron'),
        [{ name: 'x', datatype: 'FP32', shape: [1, 16], data: new Float32Array(16) }],
        asked({ signal: aborter.signal }),
      );
      if (index % 3 === 0) aborter.abort();
      else setTimeout(() => aborter.abort(), index % 7);
      return await answer.then(
        () => 'OK',
        ({ kind }: { kind: { code: string } }) => kind.code,
      );
    }),
  );

  expect(outcomes.every((code) => ['OK', 'CANCELLED', 'OVERLOADED'].includes(code))).toBe(true);
  expect(outcomes.filter((code) => code === 'CANCELLED').length).toBeGreaterThan(300);
  await expect
    .poll(() => metricsText(metrics))
    .toMatch(/opea_inference_pending_request_count\{model="perceptron@2"\} 0/);
  const after = await runtime.predict(
    ref('perceptron'),
    [{ name: 'x', datatype: 'FP32', shape: [1, 16], data: new Float32Array(16) }],
    asked(),
  );
  expect(after.batch.size).toBe(1);
});

test('metrics tell executions, rows and outcomes apart', async () => {
  const text = await metricsText(metrics);

  expect(text).toMatch(/opea_inference_exec_count\{model="perceptron@2"\} \d+/);
  expect(text).toMatch(/opea_inference_count\{model="perceptron@2"\} \d{3,}/);
  expect(text).toContain('outcome="INVALID_INPUT"');
  expect(text).toMatch(
    /opea_inference_batch_size_bucket\{le="\d+",model="affine@1",reason="IDLE"\}/,
  );
});
