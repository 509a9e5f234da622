/**
 * What an overload does: Poisson arrivals at 1, 2 and 5 times the measured capacity, each with a deadline. Goodput counts
 * answers within their deadline. Refusals must be quick, and a lone request must be served as usual soon afterwards.
 *
 *   npx tsx --conditions=source loadtest/runtime/overload.ts [seconds]
 */
import { benchModel, startBenchRuntime } from './bench-runtime.ts';
import { withLoopLag } from './event-loop-lag.ts';
import { percentile, row, verdict } from './figures.ts';
import { poissonArrivals } from './poisson-arrivals.ts';

const seconds = Number(process.argv[2] ?? 6);
await using bench = await startBenchRuntime(benchModel(), {
  workers: 1,
  threadsPerWorker: 1,
  batching: { maxBatch: 32, maxDelayMs: 5, maxQueuedRows: 256 },
});

/** Closed loop: 96 clients keep the worker busy with full batches. */
async function capacity(): Promise<number> {
  const until = performance.now() + seconds * 1_000;
  let answers = 0;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: 96 }, async () => {
      while (performance.now() < until) {
        await bench.ask();
        answers += 1;
      }
    }),
  );
  return (answers / (performance.now() - startedAt)) * 1_000;
}

async function offered(perSecond: number, deadlineMs: number) {
  const refusedAfter: number[] = [];
  const answeredAfter: number[] = [];
  const outcomes = new Map<string, number>();
  const { result: elapsedMs, lag } = await withLoopLag(() =>
    poissonArrivals({ perSecond, seconds }, async () => {
      const askedAt = performance.now();
      let outcome = 'OK';
      try {
        await bench.ask({ deadlineMs });
        answeredAfter.push(performance.now() - askedAt);
      } catch (reason) {
        outcome = (reason as { kind?: { code: string } }).kind?.code ?? String(reason);
        if (outcome === 'OVERLOADED') refusedAfter.push(performance.now() - askedAt);
      }
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }),
  );
  const goodput = (answeredAfter.filter((ms) => ms <= deadlineMs).length / elapsedMs) * 1_000;
  return { goodput, refusedAfter, answeredAfter, outcomes, lag };
}

const peak = await capacity();
const deadlineMs = Math.max(250, Math.round((4 * 32 * 1_000) / peak));
row('capacity, closed loop', { 'rows/s': peak, 'deadline ms': deadlineMs });
for (const factor of [1, 2, 5]) {
  const { goodput, refusedAfter, answeredAfter, outcomes, lag } = await offered(
    factor * peak,
    deadlineMs,
  );
  const again = await capacity();
  const reference = (peak + again) / 2;
  row(`offered ${factor} ×`, {
    goodput,
    'of capacity': goodput / reference,
    'capacity now': again,
    'p95 ms': percentile(answeredAfter, 0.95),
    'refused p99 ms': percentile(refusedAfter, 0.99),
    'loop lag p99 ms': lag.p99,
    ...Object.fromEntries(outcomes),
  });
  if (factor === 1) continue;
  verdict(`goodput at ${factor} × ≥ 90 % of capacity`, goodput >= 0.9 * reference);
  verdict(`refusals at ${factor} × in ≤ 20 ms (p99)`, percentile(refusedAfter, 0.99) <= 20);
  const startedAt = performance.now();
  await bench.ask();
  verdict(`served as usual ≤ 2 s after`, performance.now() - startedAt <= 2_000);
}
