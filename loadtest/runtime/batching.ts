/**
 * What batching across callers gains: 64 clients, each waiting for its answer before it asks again, against a 67 MB
 * perceptron on one engine thread; the same with batches of 1; and the engine alone. Ratios are of one run.
 *
 *   npx tsx --conditions=source loadtest/runtime/batching.ts [seconds]
 */
import { onnxEngine, startWorkerPool } from '@opea/inference-runtime/engines';
import { temporaryFolder, writeModelFile } from '@opea/inference-runtime/testing';
import { silentLogger } from '@opea/kernel/log';
import { benchModel, startBenchRuntime, width } from './bench-runtime.ts';
import { withLoopLag } from './event-loop-lag.ts';
import { mean, percentile, row, verdict } from './figures.ts';

const seconds = Number(process.argv[2] ?? 8);
const clients = 64;
const threads = 1;
const model = benchModel();

async function through(maxBatch: number, callers = clients) {
  await using bench = await startBenchRuntime(model, {
    workers: 1,
    threadsPerWorker: threads,
    batching: { maxBatch, maxDelayMs: 5 },
  });
  const until = performance.now() + seconds * 1_000;
  const latencies: number[] = [];
  const executions = new Map<string, { readonly rows: number; readonly computeMs: number }>();
  const startedAt = performance.now();
  const { lag } = await withLoopLag(() =>
    Promise.all(
      Array.from({ length: callers }, async () => {
        while (performance.now() < until) {
          const { timing, batch } = await bench.ask();
          latencies.push(timing.totalMs);
          executions.set(batch.executionId, { rows: batch.size, computeMs: timing.computeMs });
        }
      }),
    ),
  );
  const elapsed = (performance.now() - startedAt) / 1_000;
  return {
    perSecond: latencies.length / elapsed,
    p50: percentile(latencies, 0.5),
    p95: percentile(latencies, 0.95),
    batch: mean([...executions.values()].map(({ rows }) => rows)),
    /** Share of the time that the engine computed: what it would reach back to back is throughput over this. */
    busy:
      [...executions.values()].reduce((sum, { computeMs }) => sum + computeMs, 0) /
      (elapsed * 1_000),
    lag,
  };
}

/** The engine's own throughput at a batch size: executions back to back, no scheduler. */
async function raw(batch: number): Promise<number> {
  await using folder = await temporaryFolder();
  await using pool = startWorkerPool({
    workers: 1,
    threadsPerWorker: threads,
    logger: silentLogger,
    now: () => performance.now(),
  });
  const files = [await writeModelFile(folder.path, model)];
  const { signal } = new AbortController();
  const loaded = await onnxEngine(pool).load({ name: 'raw', files, signal });
  const until = performance.now() + (seconds * 1_000) / 2;
  let rows = 0;
  let computeMs = 0;
  while (performance.now() < until) {
    const data = new Float32Array(batch * width).fill(0.5);
    const run = await loaded.run([{ name: 'x', datatype: 'FP32', shape: [batch, width], data }]);
    rows += batch;
    computeMs += run.computeMs;
  }
  return (rows / computeMs) * 1_000;
}

const single = await through(1);
row('maxBatch 1, 64 clients', { 'rows/s': single.perSecond, p50: single.p50, p95: single.p95 });
const alone = await through(1, 1);
row('maxBatch 1, 1 client', { 'rows/s': alone.perSecond, p50: alone.p50, p95: alone.p95 });
for (const maxBatch of [16, 32, 64]) {
  const batched = await through(maxBatch);
  const engine = await raw(Math.round(batched.batch));
  const gain = batched.perSecond / single.perSecond;
  const { p50, p95, batch, lag, busy: share } = batched;
  row(`maxBatch ${maxBatch}, 64 clients`, {
    'rows/s': batched.perSecond,
    gain,
    p50,
    p95,
    'mean batch': batch,
    'engine alone rows/s': engine,
    'engine busy': share,
    'loop lag p99 ms': lag.p99,
    'max ms': lag.max,
  });
  if (maxBatch === 64)
    verdict(`≥ 6 × the throughput of batches of 1 (${gain.toFixed(2)})`, gain >= 6);
  verdict(`≥ 90 % of the engine at that batch size (${(share * 100).toFixed(1)} %)`, share >= 0.9);
  verdict(`event loop lag p99 ≤ 20 ms (${lag.p99.toFixed(1)})`, lag.p99 <= 20);
}
