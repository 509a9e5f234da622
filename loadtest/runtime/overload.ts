/**
 * What an overload does: Poisson arrivals at 1, 2 and 5 times the measured capacity, each with a deadline. Goodput counts
 * answers within their deadline. Refusals must be quick, and a lone request must be served as usual soon afterwards.
 *
 * A shared machine's speed changes while this runs. So every share is of the engine's own speed at that time: the rows that
 * its full batches compute in the time they take.
 *
 *   npx tsx --conditions=source loadtest/runtime/overload.ts [seconds]
 */
import { benchModel, startBenchRuntime } from './bench-runtime.ts';
import { withLoopLag } from './event-loop-lag.ts';
import { percentile, row, verdict } from './figures.ts';
import { poissonArrivals } from './poisson-arrivals.ts';

const seconds = Number(process.argv[2] ?? 6);
const maxBatch = 32;
await using bench = await startBenchRuntime(benchModel(), {
  workers: 1,
  threadsPerWorker: 1,
  batching: { maxBatch, maxDelayMs: 5, maxQueuedRows: 256 },
});

/** Collects, over a stretch of time, what was answered in time and how fast the engine was meanwhile. */
function tally() {
  const executions = new Map<string, { readonly rows: number; readonly computeMs: number }>();
  const startedAt = performance.now();
  let answers = 0;
  return {
    answer({ timing, batch }: Awaited<ReturnType<typeof bench.ask>>) {
      answers += 1;
      executions.set(batch.executionId, { rows: batch.size, computeMs: timing.computeMs });
    },
    figures() {
      const full = [...executions.values()].filter(({ rows }) => rows === maxBatch);
      const rows = full.length * maxBatch;
      const computeMs = full.reduce((sum, execution) => sum + execution.computeMs, 0);
      const perSecond = (answers / (performance.now() - startedAt)) * 1_000;
      return { perSecond, ofEngine: perSecond / ((rows / computeMs) * 1_000) };
    },
  };
}

/** Closed loop: 96 clients keep the worker busy with full batches. */
async function capacity() {
  const until = performance.now() + seconds * 1_000;
  const { answer, figures } = tally();
  await Promise.all(
    Array.from({ length: 96 }, async () => {
      while (performance.now() < until) answer(await bench.ask());
    }),
  );
  return figures();
}

async function offered(perSecond: number, deadlineMs: number) {
  const refusedAfter: number[] = [];
  const answeredAfter: number[] = [];
  const outcomes = new Map<string, number>();
  const { answer, figures } = tally();
  const { lag } = await withLoopLag(() =>
    poissonArrivals({ perSecond, seconds }, async () => {
      const askedAt = performance.now();
      let outcome = 'OK';
      try {
        const result = await bench.ask({ deadlineMs });
        const tookMs = performance.now() - askedAt;
        answeredAfter.push(tookMs);
        if (tookMs <= deadlineMs) answer(result);
        else outcome = 'LATE';
      } catch (reason) {
        outcome = (reason as { kind?: { code: string } }).kind?.code ?? String(reason);
        if (outcome === 'OVERLOADED') refusedAfter.push(performance.now() - askedAt);
      }
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }),
  );
  return { ...figures(), refusedAfter, answeredAfter, outcomes, lag };
}

const peak = await capacity();
const deadlineMs = Math.max(250, Math.round((5 * maxBatch * 1_000) / peak.perSecond));
row('capacity, closed loop', { 'rows/s': peak.perSecond, 'of engine': peak.ofEngine, deadlineMs });
for (const factor of [1, 2, 5]) {
  const { perSecond, ofEngine, refusedAfter, answeredAfter, outcomes, lag } = await offered(
    factor * (await capacity()).perSecond,
    deadlineMs,
  );
  row(`offered ${factor} ×`, {
    'goodput rows/s': perSecond,
    'of engine': ofEngine,
    'of peak': ofEngine / peak.ofEngine,
    'p95 ms': percentile(answeredAfter, 0.95),
    'refused p99 ms': percentile(refusedAfter, 0.99),
    'loop lag p99 ms': lag.p99,
    ...Object.fromEntries(outcomes),
  });
  if (factor === 1) continue;
  verdict(`goodput at ${factor} × ≥ 90 % of peak`, ofEngine >= 0.9 * peak.ofEngine);
  verdict(`refusals at ${factor} × in ≤ 20 ms (p99)`, percentile(refusedAfter, 0.99) <= 20);
  const startedAt = performance.now();
  await bench.ask();
  verdict('served as usual ≤ 2 s after', performance.now() - startedAt <= 2_000);
}
