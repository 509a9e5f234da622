import { expect, test } from 'vitest';
import { frozenClock } from '../clock/index.ts';
import {
  AsyncQueue,
  abortable,
  bulkhead,
  circuitBreaker,
  interruptible,
  retry,
  retryBudget,
  Semaphore,
  withDeadline,
} from './index.ts';

const failing = () => Promise.reject(new Error('down'));
const forever = () => new Promise<never>(() => {});

test('a circuit opens when half of the calls fail, tries once after its pause, and closes', async () => {
  const clock = frozenClock('2026-01-01T00:00:00Z');
  const states: string[] = [];
  const circuit = circuitBreaker({
    clock,
    minCalls: 4,
    openMs: 1_000,
    onChange: (state) => states.push(state),
  });
  for (let n = 0; n < 4; n += 1) await circuit.run(failing).catch(() => {});

  await expect(circuit.run(async () => 1)).rejects.toMatchObject({
    kind: { code: 'UNAVAILABLE' },
    details: { retryAfterMs: 1_000 },
  });
  clock.advance(1_000);
  await expect(circuit.run(failing)).rejects.toThrow('down');
  expect(circuit.state).toBe('OPEN');
  clock.advance(1_000);
  await expect(circuit.run(async () => 2)).resolves.toBe(2);

  expect(states).toEqual(['OPEN', 'HALF_OPEN', 'OPEN', 'HALF_OPEN', 'CLOSED']);
});

test('retries stop when the budget is spent, however many callers there are', async () => {
  const budget = retryBudget({ ratio: 0.1, max: 5 });
  let calls = 0;
  const call = () => {
    calls += 1;
    return failing();
  };

  for (let n = 0; n < 20; n += 1) {
    await retry(call, { attempts: 4, baseMs: 0, budget }).catch(() => {});
  }

  expect(calls).toBeGreaterThan(20);
  expect(calls).toBeLessThanOrEqual(20 + 5 + 2);
});

test('what is not worth a retry is not retried', async () => {
  let calls = 0;
  const call = () => {
    calls += 1;
    return failing();
  };

  await retry(call, { isRetryable: () => false }).catch(() => {});

  expect(calls).toBe(1);
});

test('a deadline cuts the wait and tells the work; the caller’s own abort is CANCELLED', async () => {
  const told: boolean[] = [];
  const work = (signal: AbortSignal) => {
    signal.addEventListener('abort', () => told.push(true));
    return forever();
  };
  const aborter = new AbortController();

  await expect(withDeadline(5, work)).rejects.toMatchObject({
    kind: { code: 'DEADLINE_EXCEEDED' },
  });
  const cancelled = withDeadline(60_000, work, aborter.signal);
  aborter.abort();
  await expect(cancelled).rejects.toMatchObject({ kind: { code: 'CANCELLED' } });
  await expect(abortable(forever(), AbortSignal.timeout(1))).rejects.toMatchObject({
    kind: { code: 'DEADLINE_EXCEEDED' },
  });
  expect(told).toEqual([true, true]);
});

test('places are given in the order they were asked for; who leaves the line loses nobody’s place', async () => {
  const semaphore = new Semaphore(1);
  const order: number[] = [];
  const aborter = new AbortController();
  const first = await semaphore.acquire();
  const second = semaphore.run(async () => void order.push(2));
  const left = semaphore.acquire(aborter.signal);
  const third = semaphore.run(async () => void order.push(3));

  aborter.abort();
  await expect(left).rejects.toMatchObject({ kind: { code: 'CANCELLED' } });
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  await Promise.all([second, third]);

  expect(order).toEqual([2, 3]);
  expect([semaphore.held, semaphore.waiting]).toEqual([0, 0]);
});

test('a full bulkhead refuses at once', async () => {
  const wall = bulkhead({ limit: 1 });
  void wall.run(forever);

  await expect(wall.run(async () => 1)).rejects.toMatchObject({ kind: { code: 'OVERLOADED' } });
});

test('a queue keeps order and its bound, and ends after what it holds', async () => {
  const queue = new AsyncQueue<number | undefined>(2);
  expect([queue.push(1), queue.push(undefined), queue.push(3)]).toEqual([true, true, false]);
  queue.close();

  const seen: unknown[] = [];
  for await (const item of queue) seen.push(item);

  expect(seen).toEqual([1, undefined]);
  expect(queue.push(4)).toBe(false);
});

test('a reader that waits hears of a queue’s failure', async () => {
  const queue = new AsyncQueue<number>(2);
  const next = queue[Symbol.asyncIterator]().next();
  queue.fail(new Error('source broke'));

  await expect(next).rejects.toThrow('source broke');
});

test('returning from an interruptible generator ends a wait that would never end', async () => {
  const items = interruptible(async function* wait(signal) {
    yield 1;
    await abortable(forever(), signal).catch(() => {});
  });
  await items.next();
  const waiting = items.next();

  await items.return();

  expect(await waiting).toEqual({ done: true, value: undefined });
});
