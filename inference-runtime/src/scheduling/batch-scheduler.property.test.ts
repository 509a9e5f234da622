import fc from 'fast-check';
import { expect, test } from 'vitest';
import { manualTiming } from '../timing/manual-timing.ts';
import type { Batch, Executed } from './batch.ts';
import { BatchScheduler } from './batch-scheduler.ts';
import { defaultBatchPolicy } from './policy.ts';

type Command =
  | {
      readonly do: 'submit';
      readonly rows: number;
      readonly key: string;
      readonly tenant: string;
      readonly priority: number;
      readonly deadlineMs?: number;
    }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'answer' }
  | { readonly do: 'fail' }
  | { readonly do: 'cancel'; readonly nth: number }
  | { readonly do: 'configure'; readonly maxBatch: number; readonly maxDelayMs: number };

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record(
      {
        do: fc.constant('submit' as const),
        rows: fc.integer({ min: 1, max: 4 }),
        key: fc.constantFrom('x', 'y'),
        tenant: fc.constantFrom('a', 'b', 'c'),
        priority: fc.integer({ min: 1, max: 3 }),
        deadlineMs: fc.integer({ min: 1, max: 40 }),
      },
      { requiredKeys: ['do', 'rows', 'key', 'tenant', 'priority'] },
    ),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.integer({ min: 0, max: 15 }),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ do: 'answer' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'fail' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('cancel' as const), nth: fc.nat({ max: 50 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('configure' as const),
      maxBatch: fc.integer({ min: 4, max: 9 }),
      maxDelayMs: fc.integer({ min: 0, max: 20 }),
    }),
  },
);

interface Request {
  readonly id: number;
  readonly rows: number;
  readonly key: string;
  readonly tenant: string;
  readonly priority: number;
  readonly aborter: AbortController;
  settlements: number;
  cancelledWhileWaiting: boolean;
  wrongAnswer: boolean;
}

const maxQueuedRows = 12;
const lanes = 2;

/** Plays commands and checks, at every step, what must always hold. */
async function play(commands: readonly Command[]): Promise<void> {
  const timing = manualTiming();
  const requests: Request[] = [];
  const running: { batch: Batch<Request>; settle: (ok: boolean) => void }[] = [];
  const ran: Request[] = [];
  let policy = { ...defaultBatchPolicy, maxBatch: 6, maxDelayMs: 5, maxQueuedRows };
  let ids = 0;

  const scheduler = new BatchScheduler<Request, number>({
    name: 'm@1',
    policy,
    lanes,
    timing,
    newId: () => `e${++ids}`,
    execute(batch) {
      expect(batch.rows).toBe(batch.works.reduce((sum, { rows }) => sum + rows, 0));
      expect(batch.rows).toBeLessThanOrEqual(policy.maxBatch);
      expect(new Set(batch.works.map(({ key }) => key)).size).toBe(1);
      expect(batch.works.some(({ cancelledWhileWaiting }) => cancelledWhileWaiting)).toBe(false);
      expect(running.length).toBeLessThan(2 * lanes);
      ran.push(...batch.works);
      return new Promise<Executed<number>>((resolve, reject) => {
        const outcomes = batch.works.map(({ id }) => ({ ok: true as const, answer: id }));
        running.push({
          batch,
          settle: (ok) =>
            ok ? resolve({ outcomes, computeMs: 1 }) : reject(new Error('the engine failed')),
        });
      });
    },
  });
  const turn = async (ms = 0) => {
    for (let round = 0; round < 10; round++) await Promise.resolve();
    timing.advance(ms);
    for (let round = 0; round < 10; round++) await Promise.resolve();
  };

  for (const step of commands) {
    if (step.do === 'submit') {
      const { rows, key, tenant, priority } = step;
      const aborter = new AbortController();
      const request: Request = {
        id: requests.length,
        rows,
        key,
        tenant,
        priority,
        aborter,
        settlements: 0,
        cancelledWhileWaiting: false,
        wrongAnswer: false,
      };
      requests.push(request);
      const deadline = step.deadlineMs === undefined ? {} : { deadlineMs: step.deadlineMs };
      void count(
        request,
        scheduler.submit(request, {
          rows,
          key,
          tenant,
          priority,
          signal: aborter.signal,
          ...deadline,
        }),
      );
    } else if (step.do === 'wait') await turn(step.ms);
    else if (step.do === 'answer' || step.do === 'fail') {
      running.shift()?.settle(step.do === 'answer');
      await turn();
    } else if (step.do === 'cancel') {
      const request = requests[step.nth % Math.max(1, requests.length)];
      if (request && !ran.includes(request)) request.cancelledWhileWaiting = true;
      request?.aborter.abort();
    } else {
      policy = { ...policy, maxBatch: step.maxBatch, maxDelayMs: step.maxDelayMs };
      scheduler.configure(policy);
    }
    expect(scheduler.waiting.rows).toBeLessThanOrEqual(maxQueuedRows);
  }

  const drained = scheduler.drain();
  for (let round = 0; round < requests.length + 5; round++) {
    await turn(1);
    for (const { settle } of running.splice(0)) settle(true);
  }
  await drained;
  await turn(100);

  expect(requests.map(({ settlements }) => settlements)).toEqual(requests.map(() => 1));
  expect(requests.filter(({ wrongAnswer }) => wrongAnswer)).toEqual([]);
  expect(new Set(ran).size).toBe(ran.length);
  expect(scheduler.waiting).toEqual({ requests: 0, rows: 0 });
  for (const group of groupsOf(ran)) expect(group).toEqual(group.toSorted((a, b) => a - b));
}

async function count(request: Request, answered: Promise<{ answer: number }>): Promise<void> {
  try {
    const { answer } = await answered;
    request.wrongAnswer = answer !== request.id;
  } catch {
    // Refused, dropped, cancelled or failed: an answer too.
  }
  request.settlements += 1;
}

/** The ids that ran, in order, of each tenant, priority and key. */
function groupsOf(ran: readonly Request[]): readonly (readonly number[])[] {
  const groups = new Map<string, number[]>();
  for (const { id, tenant, priority, key } of ran) {
    const name = `${tenant}/${priority}/${key}`;
    groups.set(name, [...(groups.get(name) ?? []), id]);
  }
  return [...groups.values()];
}

test('whatever happens: each request is answered once, no batch is too large or mixed, the bound holds, nobody overtakes inside a tenant', async () => {
  await fc.assert(fc.asyncProperty(fc.array(command, { maxLength: 60 }), play), { numRuns: 400 });
}, 60_000);
