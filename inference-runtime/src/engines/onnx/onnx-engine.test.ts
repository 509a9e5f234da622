import { silentLogger } from '@opea/kernel/log';
import type { Tensor } from '@opea/schema/runtime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { temporaryFolder, writeModelFile } from '../../testing/model-files.ts';
import { affineModel, logarithmModel, lookupModel } from '../../testing/tiny-models.ts';
import type { EngineModel } from '../engine.ts';
import { startWorkerPool, type WorkerPool } from '../worker-pool.ts';
import { onnxEngine } from './onnx-engine.ts';

let pool: WorkerPool;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeAll(async () => {
  folder = await temporaryFolder();
  pool = startWorkerPool({
    workers: 2,
    threadsPerWorker: 1,
    logger: silentLogger,
    now: () => performance.now(),
  });
});

afterAll(async () => {
  await pool[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const signal = new AbortController().signal;

async function load(bytes: Uint8Array, extra: { isolation?: 'thread' | 'process' } = {}) {
  const files = [await writeModelFile(folder.path, bytes)];
  return await onnxEngine(pool).load({ name: 'm@1', files, signal, ...extra });
}

const row = (name: string, ...values: number[]): Tensor => ({
  name,
  datatype: 'FP32',
  shape: [1, values.length],
  data: Float32Array.from(values),
});

test('a model answers from a worker with its signature read', async () => {
  await using model = await load(affineModel());

  const { outputs, computeMs } = await model.run([row('x', 1, 2, 3, 4)]);

  expect(model.signature).toEqual({
    inputs: [{ name: 'x', datatype: 'FP32', shape: ['batch', 4] }],
    outputs: [{ name: 'y', datatype: 'FP32', shape: ['batch', 4] }],
  });
  expect(outputs).toEqual([
    { name: 'y', datatype: 'FP32', shape: [1, 4], data: Float32Array.of(3, 5, 7, 9) },
  ]);
  expect(computeMs).toBeGreaterThan(0);
});

test('a model in a process of its own answers the same', async () => {
  await using model: EngineModel = await load(affineModel(), { isolation: 'process' });

  const { outputs } = await model.run([row('x', 1, 2, 3, 4)]);

  expect(outputs[0]?.data).toEqual(Float32Array.of(3, 5, 7, 9));
});

test('rows whose outputs are not finite are named', async () => {
  await using model = await load(logarithmModel());
  const x: Tensor = { name: 'x', datatype: 'FP32', shape: [3, 1], data: Float32Array.of(1, -1, 2) };

  const { nonFiniteRows } = await model.run([x]);

  expect(nonFiniteRows).toEqual([1]);
});

test('an execution that the native runtime refuses is an EXECUTION_FAILED', async () => {
  await using model = await load(lookupModel());
  const ids: Tensor = {
    name: 'ids',
    datatype: 'INT64',
    shape: [1, 1],
    data: BigInt64Array.of(99n),
  };

  await expect(model.run([ids])).rejects.toMatchObject({ kind: { code: 'EXECUTION_FAILED' } });
});

test('bytes that do not match their digest are refused before ONNX Runtime sees them', async () => {
  const file = await writeModelFile(folder.path, affineModel());
  const files = [{ ...file, digest: `sha256:${'0'.repeat(64)}` }];

  await expect(onnxEngine(pool).load({ name: 'm@1', files, signal })).rejects.toMatchObject({
    kind: { code: 'MODEL_REFUSED' },
  });
});
