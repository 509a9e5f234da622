import { setMaxListeners } from 'node:events';
import { setImmediate as settled } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { manualTiming } from '../timing/manual-timing.ts';
import type { Executed, Submission } from './batch.ts';
import { BatchScheduler } from './batch-scheduler.ts';
import { type BatchPolicy, defaultBatchPolicy } from './policy.ts';

const { signal } = new AbortController();
setMaxListeners(0, signal);

/** One engine lane of which an execution of n rows takes 0.9·n + 6 ms (the 67 MB perceptron on one thread), in virtual time. */
const executionMs = (rows: number) => 0.9 * rows + 6;

/** The same numbers in every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function simulation(change: Partial<BatchPolicy>) {
  const timing = manualTiming();
  const chance = random(7);
  let engineFreeAt = 0;
  let ids = 0;
  const scheduler = new BatchScheduler<null, null>({
    name: 'm@1',
    policy: { ...defaultBatchPolicy, ...change },
    lanes: 1,
    timing,
    newId: () => `e${++ids}`,
    execute({ works, rows }) {
      // No two executions take quite the same time.
      const computeMs = executionMs(rows) * (0.95 + 0.1 * chance());
      engineFreeAt = Math.max(engineFreeAt, timing.now()) + computeMs;
      return new Promise<Executed<null>>((resolve) => {
        timing.after(engineFreeAt - timing.now(), () =>
          resolve({ outcomes: works.map(() => ({ ok: true, answer: null })), computeMs }),
        );
      });
    },
  });
  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      timing.after(ms, resolve);
    });
  const ask = async (submission: Partial<Submission>) => {
    const askedAt = timing.now();
    const outcome = await scheduler
      .submit(null, { rows: 1, key: 'k', tenant: 'a', priority: 2, signal, ...submission })
      .then(
        () => 'OK',
        (error: { kind: { code: string } }) => error.kind.code,
      );
    return { outcome, ms: timing.now() - askedAt };
  };

  return {
    /** Clients that ask again as soon as they are answered, a little network time later. */
    clients(count: number, submission: Partial<Submission>, until: number): readonly number[] {
      const latencies: number[] = [];
      for (let client = 0; client < count; client++)
        void (async () => {
          await pause(20 * chance());
          while (timing.now() < until) {
            const { outcome, ms } = await ask(submission);
            if (outcome === 'OK') latencies.push(ms);
            await pause(outcome === 'OK' ? 0.1 + 1.5 * chance() : 5);
          }
        })();
      return latencies;
    },
    /** Arrivals at random times that do not wait for answers. */
    arrivals(perSecond: number, submission: Partial<Submission>, until: number) {
      const answers: { outcome: string; ms: number }[] = [];
      void (async () => {
        while (timing.now() < until) {
          await pause((-Math.log(1 - chance()) / perSecond) * 1_000);
          void ask(submission).then((answer) => answers.push(answer));
        }
      })();
      return answers;
    },
    async runUntil(ms: number) {
      await settled();
      while (timing.step(ms)) await settled();
    },
  };
}

const percentile = (samples: readonly number[], share: number) =>
  samples.toSorted((a, b) => a - b)[Math.floor(share * samples.length)] ?? Number.NaN;

const seconds = 8;
const until = seconds * 1_000;

/** p95 of a caller's latency beside a neighbour, ms. */
async function p95Beside(
  own: readonly [number, Partial<Submission>],
  neighbour: readonly [number, Partial<Submission>],
): Promise<number> {
  const sim = simulation({ maxBatch: 64, maxQueuedRows: 512, maxBlockingMs: 7 });
  const latencies = sim.clients(...own, until);
  sim.clients(...neighbour, until);
  await sim.runUntil(until + 2_000);
  return percentile(latencies, 0.95);
}

test('a flood at low priority moves the p95 of high priority by at most 10 %', async () => {
  const high = [32, { priority: 1 }] as const;
  const calm = await p95Beside(high, [0, {}]);
  const flooded = await p95Beside(high, [300, { priority: 3 }]);

  expect(flooded / calm).toBeLessThanOrEqual(1.1);
}, 60_000);

test('a noisy tenant moves the p95 of another by at most 10 %', async () => {
  const quiet = [32, { tenant: 'quiet' }] as const;
  const calm = await p95Beside(quiet, [32, { tenant: 'other' }]);
  const noisy = await p95Beside(quiet, [400, { tenant: 'other' }]);

  expect(noisy / calm).toBeLessThanOrEqual(1.1);
}, 60_000);

test.each([2, 5])(
  'at %d times the capacity, goodput stays at 90 % of it or more, and refusals take no time',
  async (factor) => {
    const policy = { maxBatch: 32, maxQueuedRows: 256 };
    const capacity = (32 / executionMs(32)) * 1_000;
    const deadlineMs = 150;
    const sim = simulation(policy);
    const answers = sim.arrivals(factor * capacity, { deadlineMs }, until);
    await sim.runUntil(until + 2_000);

    const good = answers.filter(({ outcome, ms }) => outcome === 'OK' && ms <= deadlineMs).length;
    const refused = answers.filter(({ outcome }) => outcome === 'OVERLOADED');
    expect(good / seconds).toBeGreaterThanOrEqual(0.9 * capacity);
    expect(
      percentile(
        refused.map(({ ms }) => ms),
        0.99,
      ),
    ).toBeLessThanOrEqual(20);
  },
  60_000,
);

test('after an overload a lone request is served as before at once', async () => {
  const sim = simulation({ maxBatch: 32, maxQueuedRows: 256 });
  sim.arrivals(2_500, { deadlineMs: 150 }, 5_000);
  await sim.runUntil(5_400);
  const alone = sim.clients(1, {}, 7_400);
  await sim.runUntil(8_000);

  expect(percentile(alone, 0.95)).toBeLessThan(2 * executionMs(1) + 5);
}, 60_000);
