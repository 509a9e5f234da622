import { systemClock } from '@opea/kernel/clock';
import { silentLogger } from '@opea/kernel/log';
import { createMetrics } from '@opea/kernel/metrics';
import type { RequestOptions, Tensor } from '@opea/schema/runtime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ManagedRuntime, startInferenceRuntime } from '../inference-runtime.ts';
import { fakeRegistry } from '../testing/fake-registry.ts';
import { temporaryFolder } from '../testing/model-files.ts';
import { affineModel, logarithmModel } from '../testing/tiny-models.ts';

const registry = fakeRegistry();
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
    metrics: createMetrics(),
    config: {
      resultCacheBytes: 1_000_000,
      coalesce: true,
      fallbacks: { logarithm: 'simple', broken: 'simple', unlucky: 'nobody' },
      catalogueWaitMs: 100,
    },
  });
  registry.promote(registry.publish('affine', affineModel()));
  registry.promote(registry.publish('logarithm', logarithmModel()));
  registry.promote(registry.publish('simple', affineModel({ width: 1 })));
  for (const name of ['broken', 'unlucky']) {
    const version = registry.publish(name, affineModel({ width: 1, scale: name.length }));
    registry.stored.delete(version.digest);
    registry.promote(version);
  }
});

afterAll(async () => {
  await runtime[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const ask = (model: string, values: number[], change: Partial<RequestOptions> = {}) => {
  const x: Tensor = {
    name: 'x',
    datatype: 'FP32',
    shape: [1, values.length],
    data: Float32Array.from(values),
  };
  return runtime.predict({ tenant: registry.tenant, model }, [x], {
    requestId: 'r',
    tenant: registry.tenant,
    signal: new AbortController().signal,
    ...change,
  });
};

test('a repeated request is answered from the cache, with the execution that made the answer', async () => {
  const first = await ask('affine', [1, 2, 3, 4]);
  const second = await ask('affine', [1, 2, 3, 4]);

  expect(first.origin).toBeUndefined();
  expect(second).toMatchObject({
    origin: 'CACHED',
    outputs: first.outputs,
    batch: { executionId: first.batch.executionId },
    timing: { computeMs: 0 },
  });
});

test('another tenant of the same request gets an execution of its own', async () => {
  const first = await ask('affine', [9, 9, 9, 9]);
  const second = await ask('affine', [9, 9, 9, 9], { tenant: 'another' });

  expect(second.batch.executionId).not.toBe(first.batch.executionId);
});

test('a promotion is seen by the next equal request', async () => {
  const before = await ask('affine', [5, 5, 5, 5]);
  const next = registry.publish('affine', affineModel({ scale: 3 }));
  registry.promote(next);

  await expect
    .poll(async () => (await ask('affine', [5, 5, 5, 5])).version.number)
    .toBe(next.number);
  const after = await ask('affine', [5, 5, 5, 5]);

  expect(before.outputs[0]?.data[0]).toBe(11);
  expect(after.outputs[0]?.data[0]).toBe(16);
});

test('equal requests under way at once share one row of one execution', async () => {
  const answers = await Promise.all(Array.from({ length: 8 }, () => ask('affine', [7, 7, 7, 7])));

  expect(answers.filter(({ origin }) => origin === 'COALESCED')).toHaveLength(7);
  expect(new Set(answers.map(({ batch }) => batch.executionId)).size).toBe(1);
  expect(answers[0]?.batch.size).toBe(1);
  expect(new Set(answers.map(({ outputs }) => outputs[0]?.data)).size).toBe(8);
});

test('a model that cannot be loaded is answered for by its fallback, and the answer says so', async () => {
  const answer = await ask('broken', [4]);

  expect(answer).toMatchObject({ origin: 'FALLBACK', version: { model: 'simple' } });
  expect(answer.outputs[0]?.data[0]).toBe(9);
});

test('so is one that answers with NaN', async () => {
  expect(await ask('logarithm', [-1])).toMatchObject({ origin: 'FALLBACK' });
  expect((await ask('logarithm', [1])).origin).toBeUndefined();
});

test('a fault of the request itself goes to no fallback', async () => {
  await expect(ask('logarithm', [1, 2])).rejects.toMatchObject({ kind: { code: 'INVALID_INPUT' } });
});

test('when the fallback cannot answer either, the first error is told', async () => {
  await expect(ask('unlucky', [1])).rejects.toMatchObject({ kind: { code: 'MODEL_NOT_READY' } });
});
