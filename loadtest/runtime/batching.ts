/**
 * What batching across callers gains: 64 clients, each waiting for its answer before it asks again, against a 67 MB
 * perceptron on one engine thread, with batches of at most 1, 16, 32 and 64 rows. The sizes take turns in short stretches
 * and medians are compared, so that a change of the machine touches all alike.
 *
 *   npx tsx --conditions=source loadtest/runtime/batching.ts [rounds]
 */
import { onnxEngine, startWorkerPool } from '@opea/inference-runtime/engines';
import { temporaryFolder, writeModelFile } from '@opea/inference-runtime/testing';
import { silentLogger } from '@opea/kernel/log';
import { type BenchRuntime, benchModel, startBenchRuntime, width } from './bench-runtime.ts';
import { withLoopLag } from './event-loop-lag.ts';
import { mean, percentile, row, verdict } from './figures.ts';

const rounds = Number(process.argv[2] ?? 6);
const stretchMs = 1_200;
const clients = 64;
const sizes = [1, 16, 32, 64];
const model = benchModel();

interface Stretch {
  readonly perSecond: number;
  readonly latencies: readonly number[];
  /** Rows of each execution. */
  readonly sizes: readonly number[];
  /** Share of the time that the engine computed: back to back it would reach the throughput divided by this. */
  readonly busy: number;
}

/** Closed loop for a stretch of time: every client asks again as soon as it is answered. */
async function stretch(bench: BenchRuntime, callers: number): Promise<Stretch> {
  const startedAt = performance.now();
  const until = startedAt + stretchMs;
  const latencies: number[] = [];
  const executions = new Map<string, { readonly rows: number; readonly computeMs: number }>();
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (performance.now() < until) {
        const { timing, batch } = await bench.ask();
        latencies.push(timing.totalMs);
        executions.set(batch.executionId, { rows: batch.size, computeMs: timing.computeMs });
      }
    }),
  );
  const elapsedMs = performance.now() - startedAt;
  const all = [...executions.values()];
  return {
    perSecond: (latencies.length / elapsedMs) * 1_000,
    latencies,
    sizes: all.map(({ rows }) => rows),
    busy: all.reduce((sum, { computeMs }) => sum + computeMs, 0) / elapsedMs,
  };
}

await using folder = await temporaryFolder();
await using pool = startWorkerPool({
  workers: 1,
  threadsPerWorker: 1,
  logger: silentLogger,
  now: () => performance.now(),
});
const engine = await onnxEngine(pool).load({
  name: 'raw',
  files: [await writeModelFile(folder.path, model)],
  signal: new AbortController().signal,
});

/** The engine alone at a batch size: executions back to back, without a scheduler. Rows a second. */
async function raw(rows: number): Promise<number> {
  const startedAt = performance.now();
  let done = 0;
  while (performance.now() - startedAt < stretchMs) {
    const data = new Float32Array(rows * width).fill(0.5);
    await engine.run([{ name: 'x', datatype: 'FP32', shape: [rows, width], data }]);
    done += rows;
  }
  return (done / (performance.now() - startedAt)) * 1_000;
}

const benches = new Map<number, BenchRuntime>();
for (const maxBatch of sizes)
  benches.set(
    maxBatch,
    await startBenchRuntime(model, {
      workers: 1,
      threadsPerWorker: 1,
      batching: { maxBatch, maxDelayMs: 5 },
    }),
  );

const stretches = new Map<number, Stretch[]>(sizes.map((maxBatch) => [maxBatch, []]));
const alone = new Map<number, number[]>(sizes.map((maxBatch) => [maxBatch, []]));
const { lag } = await withLoopLag(async () => {
  for (let round = 0; round < rounds; round++)
    for (const [maxBatch, bench] of benches) {
      stretches.get(maxBatch)?.push(await stretch(bench, clients));
      alone.get(maxBatch)?.push(await raw(maxBatch));
    }
});

const median = (samples: readonly number[]) => percentile(samples, 0.5);
const single = median(stretches.get(1)?.map(({ perSecond }) => perSecond) ?? []);
for (const [maxBatch, measured] of stretches) {
  const perSecond = median(measured.map((one) => one.perSecond));
  const latencies = measured.flatMap((one) => one.latencies);
  const busy = median(measured.map((one) => one.busy));
  row(`maxBatch ${maxBatch}, ${clients} clients`, {
    'rows/s': perSecond,
    gain: perSecond / single,
    p50: percentile(latencies, 0.5),
    p95: percentile(latencies, 0.95),
    'mean batch': mean(measured.flatMap((one) => one.sizes)),
    'engine alone rows/s': median(alone.get(maxBatch) ?? []),
    'of engine': perSecond / median(alone.get(maxBatch) ?? []),
    'engine busy': busy,
  });
  const share = perSecond / median(alone.get(maxBatch) ?? []);
  if (maxBatch === 1) continue;
  verdict(`≥ 90 % of the engine at that batch size (${(share * 100).toFixed(1)} %)`, share >= 0.9);
}
const gain = median(stretches.get(64)?.map(({ perSecond }) => perSecond) ?? []) / single;
verdict(`≥ 6 × the throughput of batches of 1 (${gain.toFixed(2)})`, gain >= 6);
row('event loop lag, ms', lag);
verdict(`event loop lag p99 ≤ 20 ms (${lag.p99.toFixed(1)})`, lag.p99 <= 20);
for (const bench of benches.values()) await bench[Symbol.asyncDispose]();
