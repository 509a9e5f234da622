/**
 * Whether one caller can spoil another's latency. A measured caller keeps 32 requests outstanding; beside it runs, in turns,
 * a well-behaved neighbour and a flood. The turns alternate, so that a change of the machine touches both alike.
 *
 *   npx tsx --conditions=source loadtest/runtime/isolation.ts [seconds]
 */
import { type AskOptions, benchModel, startBenchRuntime } from './bench-runtime.ts';
import { percentile, row, verdict } from './figures.ts';

const seconds = Number(process.argv[2] ?? 3);
const rounds = 5;
const model = benchModel();

interface Neighbour extends AskOptions {
  readonly clients: number;
}

/** Latencies of the measured caller, ms, while a neighbour asks. */
async function measured(
  bench: Awaited<ReturnType<typeof startBenchRuntime>>,
  { clients, ...measuredAs }: Neighbour,
  { clients: others, ...asNeighbour }: Neighbour,
): Promise<number[]> {
  const until = performance.now() + seconds * 1_000;
  const latencies: number[] = [];
  const neighbour = Array.from({ length: others }, async () => {
    while (performance.now() < until) await bench.ask(asNeighbour).catch(() => pause(5));
  });
  const own = Array.from({ length: clients }, async () => {
    while (performance.now() < until) {
      const { timing } = await bench.ask(measuredAs);
      latencies.push(timing.totalMs);
    }
  });
  await Promise.all([...own, ...neighbour]);
  return latencies;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function compare(name: string, own: Neighbour, calm: Neighbour, flood: Neighbour) {
  await using bench = await startBenchRuntime(model, {
    workers: 1,
    threadsPerWorker: 1,
    batching: { maxBatch: 64, maxDelayMs: 5, maxQueuedRows: 512, maxBlockingMs: 2 },
  });
  const before: number[] = [];
  const during: number[] = [];
  for (let round = 0; round < rounds; round++) {
    before.push(...(await measured(bench, own, calm)));
    during.push(...(await measured(bench, own, flood)));
  }
  const p95 = [percentile(before, 0.95), percentile(during, 0.95)] as const;
  const moved = p95[1] / p95[0] - 1;
  row(name, {
    'p50 before': percentile(before, 0.5),
    'p50 in flood': percentile(during, 0.5),
    'p95 before': p95[0],
    'p95 in flood': p95[1],
    moved,
  });
  verdict(`${name}: p95 moves by ≤ 10 % (${(moved * 100).toFixed(1)} %)`, moved <= 0.1);
}

await compare(
  'high priority, flood at low',
  { clients: 32, priority: 1 },
  { clients: 0, priority: 3 },
  { clients: 256, priority: 3 },
);
await compare(
  'quiet tenant, noisy neighbour',
  { clients: 32, tenant: 'quiet' },
  { clients: 32, tenant: 'neighbour' },
  { clients: 400, tenant: 'neighbour' },
);
