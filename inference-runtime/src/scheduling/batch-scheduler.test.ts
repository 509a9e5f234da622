import { setMaxListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { manualTiming } from '../timing/manual-timing.ts';
import type { Batch, Executed, Submission } from './batch.ts';
import { BatchScheduler } from './batch-scheduler.ts';
import { type BatchPolicy, defaultBatchPolicy } from './policy.ts';

const never = new AbortController().signal;
setMaxListeners(0, never);
const policy = (change: Partial<BatchPolicy> = {}): BatchPolicy => ({
  ...defaultBatchPolicy,
  maxBatch: 4,
  maxDelayMs: 10,
  ...change,
});
const submission = (change: Partial<Submission> = {}): Submission => ({
  rows: 1,
  key: 'k',
  tenant: 't',
  priority: 2,
  signal: never,
  ...change,
});

/** A scheduler whose time and executions a test drives by hand. */
function driven({ lanes = 1, ...change }: Partial<BatchPolicy> & { lanes?: number } = {}) {
  const timing = manualTiming();
  const batches: (Batch<string> & {
    answer(): void;
    fail(error: Error): void;
  })[] = [];
  let ids = 0;
  const scheduler = new BatchScheduler<string, string>({
    name: 'm@1',
    policy: policy(change),
    lanes,
    timing,
    newId: () => `e${++ids}`,
    execute: (batch) =>
      new Promise<Executed<string>>((resolve, reject) => {
        const outcomes = batch.works.map((work) => ({ ok: true as const, answer: `${work}!` }));
        batches.push({
          ...batch,
          answer: () => resolve({ outcomes, computeMs: 1 }),
          fail: reject,
        });
      }),
  });
  const settled: string[] = [];
  const submit = (work: string, options: Partial<Submission> = {}) => {
    const answer = scheduler.submit(work, submission(options));
    answer.then(
      () => settled.push(work),
      (error: { kind?: { code: string } }) =>
        settled.push(`${work}:${error.kind?.code ?? 'ERROR'}`),
    );
    return answer;
  };
  /** Lets promises settle and the scheduler decide, without time going by. */
  const turn = async (ms = 0) => {
    for (let round = 0; round < 20; round++) await Promise.resolve();
    timing.advance(ms);
    for (let round = 0; round < 20; round++) await Promise.resolve();
  };
  /** Teaches the latency model that an execution of n rows takes n·perRow + fixed ms. */
  const teach = async (perRow: number, fixed: number) => {
    for (const rows of [1, 2, 4, 1, 2, 4]) {
      timing.advance(5_000);
      void submit('lesson', { rows });
      await turn();
      await turn(rows * perRow + fixed);
      batches.at(-1)?.answer();
      await turn();
    }
    timing.advance(5_000);
    batches.length = 0;
    settled.length = 0;
  };
  return { scheduler, timing, batches, submit, settled, turn, teach };
}

/** Makes the scheduler expect `rows` outstanding, so that fewer wait for the delay. */
async function busyBefore({ submit, batches, turn }: ReturnType<typeof driven>, rows: number) {
  for (let index = 0; index < rows; index++) void submit('before');
  await turn();
  while (batches.length > 0) {
    batches.shift()?.answer();
    await turn();
  }
}

describe('when to run', () => {
  test('a lone request runs at once, because nobody is expected', async () => {
    const { submit, batches, turn } = driven();

    void submit('a');
    await turn();

    expect(batches).toMatchObject([{ works: ['a'], reason: 'IDLE' }]);
  });

  test('requests that arrive together run together', async () => {
    const { submit, batches, turn } = driven();

    const answers = Promise.all([submit('a'), submit('b')]);
    await turn();
    batches[0]?.answer();

    expect(batches).toMatchObject([{ works: ['a', 'b'], rows: 2 }]);
    await expect(answers).resolves.toMatchObject([{ answer: 'a!' }, { answer: 'b!' }]);
  });

  test('a full batch runs at once', async () => {
    const { submit, batches, turn } = driven();

    for (const work of ['a', 'b', 'c', 'd', 'e']) void submit(work);
    await turn();

    expect(batches).toMatchObject([{ works: ['a', 'b', 'c', 'd'], reason: 'FULL' }]);
  });

  test('while others are expected, a request waits for them no longer than the delay', async () => {
    const it = driven();
    await busyBefore(it, 4);

    void it.submit('a');
    await it.turn(9);
    expect(it.batches).toEqual([]);
    await it.turn(1);

    expect(it.batches).toMatchObject([{ works: ['a'], reason: 'DELAY' }]);
  });

  test('a preferred size runs at once and takes no more than it prefers', async () => {
    const it = driven({ maxBatch: 8, preferredSizes: [2] });
    await busyBefore(it, 8);

    for (const work of ['a', 'b', 'c']) void it.submit(work);
    await it.turn();

    expect(it.batches).toMatchObject([{ works: ['a', 'b'], reason: 'PREFERRED' }]);
  });

  test('a request that is about to miss its deadline does not wait for others', async () => {
    const it = driven({ maxDelayMs: 1_000 });
    await it.teach(1, 1);
    await busyBefore(it, 4);

    void it.submit('a', { deadlineMs: 50 });
    await it.turn(46);
    expect(it.batches).toEqual([]);
    await it.turn(2);

    expect(it.batches).toMatchObject([{ works: ['a'], reason: 'DEADLINE' }]);
  });

  test('what comes while the worker is busy runs together when it is free', async () => {
    const { submit, batches, turn } = driven();
    void submit('a');
    await turn();

    void submit('b');
    void submit('c');
    await turn(500);
    expect(batches).toHaveLength(1);
    batches[0]?.answer();
    await turn();

    expect(batches[1]).toMatchObject({ works: ['b', 'c'] });
  });

  test('two lanes run two batches side by side', async () => {
    const { submit, batches, turn } = driven({ lanes: 2 });

    for (const work of ['a', 'b', 'c', 'd', 'e']) void submit(work);
    await turn();

    expect(batches.map(({ works }) => works)).toEqual([['a', 'b', 'c', 'd'], ['e']]);
  });

  test('a batch stays small enough for the time an execution may take', async () => {
    const it = driven({ maxExecutionMs: 3 });
    await it.teach(1, 1);

    for (const work of ['a', 'b', 'c']) void it.submit(work);
    await it.turn();

    expect(it.batches).toMatchObject([{ works: ['a', 'b'] }]);
  });

  test('a full batch waits inside the busy worker, one that could still grow does not', async () => {
    const { submit, batches, turn } = driven();
    for (const work of ['a', 'b', 'c', 'd']) void submit(work);
    await turn();
    for (const work of ['e', 'f', 'g']) void submit(work);
    await turn(100);
    expect(batches).toHaveLength(1);

    for (const work of ['h', 'i', 'j', 'k', 'l', 'm']) void submit(work);
    await turn();

    expect(batches.map(({ works }) => works.join(''))).toEqual(['abcd', 'efgh']);
  });

  test('rows are counted, not requests, and a request is never split', async () => {
    const { submit, batches, turn } = driven();

    void submit('a', { rows: 3 });
    void submit('b', { rows: 2 });
    void submit('c', { rows: 1, tenant: 'u' });
    await turn();

    expect(batches).toMatchObject([{ works: ['a', 'c'], rows: 4 }]);
  });

  test('only equal keys share a batch', async () => {
    const { submit, batches, turn } = driven({ lanes: 2 });

    void submit('a', { key: '1' });
    void submit('b', { key: '2' });
    void submit('c', { key: '1' });
    await turn();

    expect(batches.map(({ works }) => works)).toEqual([['a', 'c'], ['b']]);
  });
});

describe('in which order', () => {
  async function orderOf(submits: readonly [string, Partial<Submission>][], size = 1) {
    const { submit, batches, turn } = driven({ maxBatch: size });
    void submit('first');
    await turn();
    for (const [work, options] of submits) void submit(work, options);
    const order: string[][] = [];
    for (;;) {
      batches.shift()?.answer();
      await turn();
      const [next] = batches;
      if (!next) return order;
      order.push([...next.works]);
    }
  }

  test('a more urgent priority goes first', async () => {
    const order = await orderOf([
      ['low', { priority: 3 }],
      ['normal', { priority: 2 }],
      ['high', { priority: 1 }],
    ]);

    expect(order).toEqual([['high'], ['normal'], ['low']]);
  });

  test('a quiet tenant does not wait behind a noisy one', async () => {
    const order = await orderOf([
      ['n1', { tenant: 'noisy' }],
      ['n2', { tenant: 'noisy' }],
      ['n3', { tenant: 'noisy' }],
      ['q1', { tenant: 'quiet' }],
      ['q2', { tenant: 'quiet' }],
    ]);

    expect(order.flat()).toEqual(['n1', 'q1', 'n2', 'q2', 'n3']);
  });

  test('inside a tenant the first comes first', async () => {
    const order = await orderOf(['a', 'b', 'c'].map((work) => [work, {}]));

    expect(order.flat()).toEqual(['a', 'b', 'c']);
  });
});

describe('a bounded queue', () => {
  test('refuses at once what is beyond the bound, with the time after which to try again', async () => {
    const { submit, turn } = driven({ maxQueuedRows: 2 });
    void submit('running');
    await turn();
    void submit('a');
    void submit('b');

    await expect(submit('c')).rejects.toMatchObject({
      kind: { code: 'OVERLOADED', status: 429 },
      details: { reason: 'QUEUE_FULL', retryAfterMs: expect.any(Number) },
    });
  });

  test('gives the place of the least urgent to a more urgent one', async () => {
    const { submit, settled, turn } = driven({ maxQueuedRows: 2 });
    void submit('running');
    await turn();
    void submit('old', { priority: 3 });
    void submit('young', { priority: 3 });
    void submit('urgent', { priority: 1 });
    await turn();

    expect(settled).toEqual(['young:OVERLOADED']);
  });

  test('gives a place of the tenant that holds most to one that holds less', async () => {
    const { submit, settled, turn } = driven({ maxQueuedRows: 3 });
    void submit('running');
    await turn();
    for (const work of ['n1', 'n2', 'n3']) void submit(work, { tenant: 'noisy' });
    void submit('q', { tenant: 'quiet' });
    await turn();

    expect(settled).toEqual(['n3:OVERLOADED']);
  });
});

describe('deadlines', () => {
  test('a request whose deadline passed while it waited never runs', async () => {
    const { submit, batches, settled, turn } = driven();
    void submit('running');
    await turn();
    void submit('late', { deadlineMs: 20 });
    await turn(20);
    batches[0]?.answer();
    await turn();

    expect(settled).toEqual(['late:DEADLINE_EXCEEDED', 'running']);
    expect(batches).toHaveLength(1);
  });

  test('a request whose deadline passes while it runs is answered then; its batch-mates are unharmed', async () => {
    const { submit, batches, settled, turn } = driven();
    void submit('hasty', { deadlineMs: 5 });
    void submit('patient');
    await turn();
    await turn(5);
    expect(settled).toEqual(['hasty:DEADLINE_EXCEEDED']);
    batches[0]?.answer();
    await turn();

    expect(settled).toEqual(['hasty:DEADLINE_EXCEEDED', 'patient']);
  });

  test('one that cannot be met is refused when it arrives', async () => {
    const it = driven();
    await it.teach(10, 10);
    for (let index = 0; index < 9; index++) void it.submit(`w${index}`);
    await it.turn();

    await expect(it.submit('hopeless', { deadlineMs: 30 })).rejects.toMatchObject({
      kind: { code: 'OVERLOADED' },
      details: { reason: 'DEADLINE_UNREACHABLE' },
    });
    void it.submit('possible', { deadlineMs: 1_000 });
    await it.turn();
    expect(it.settled).toEqual(['hopeless:OVERLOADED']);
  });
});

describe('cancelling', () => {
  test('while it waits: it never runs', async () => {
    const { submit, batches, settled, turn } = driven();
    const aborter = new AbortController();
    void submit('running');
    await turn();
    void submit('gone', { signal: aborter.signal });
    aborter.abort();
    batches[0]?.answer();
    await turn();

    expect(settled).toEqual(['gone:CANCELLED', 'running']);
    expect(batches).toHaveLength(1);
  });

  test('while it runs: it is answered at once and its batch-mates later', async () => {
    const { submit, batches, settled, turn } = driven();
    const aborter = new AbortController();
    void submit('gone', { signal: aborter.signal });
    void submit('mate');
    await turn();
    aborter.abort();
    await turn();
    expect(settled).toEqual(['gone:CANCELLED']);
    batches[0]?.answer();
    await turn();

    expect(settled).toEqual(['gone:CANCELLED', 'mate']);
  });
});

describe('stopping', () => {
  test('a drain runs what waits without delay, takes nothing new, and ends when all is answered', async () => {
    const it = driven();
    await busyBefore(it, 4);
    it.settled.length = 0;
    void it.submit('a');
    const drained = it.scheduler.drain();
    await expect(it.submit('b')).rejects.toMatchObject({ kind: { code: 'UNAVAILABLE' } });
    await it.turn();
    expect(it.batches).toMatchObject([{ works: ['a'], reason: 'DRAIN' }]);
    it.batches[0]?.answer();

    await drained;
    await it.turn();
    expect(it.settled).toEqual(['b:UNAVAILABLE', 'a']);
  });

  test('disposing refuses what waits', async () => {
    const { scheduler, submit, batches, settled, turn } = driven();
    void submit('running');
    await turn();
    void submit('waiting');
    const disposed = scheduler[Symbol.asyncDispose]();
    batches[0]?.answer();
    await disposed;
    await turn();

    expect(settled).toEqual(['waiting:UNAVAILABLE', 'running']);
  });
});

test('a failed execution fails its own batch and the next one runs', async () => {
  const { submit, batches, settled, turn } = driven();
  void submit('a');
  await turn();
  void submit('b');
  batches[0]?.fail(new Error('broken'));
  await turn();
  await turn(10);
  batches[1]?.answer();
  await turn();

  expect(settled).toEqual(['a:ERROR', 'b']);
});

test('a new policy applies to the next batch', async () => {
  const { scheduler, submit, batches, turn } = driven();
  scheduler.configure(policy({ maxBatch: 2 }));

  for (const work of ['a', 'b', 'c']) void submit(work);
  await turn();

  expect(batches).toMatchObject([{ works: ['a', 'b'] }]);
});

test('a low priority holds the worker only as long as it may while a high one is in use', async () => {
  const it = driven({ maxBlockingMs: 3 });
  await it.teach(1, 1);
  void it.submit('high', { priority: 1 });
  await it.turn();
  for (const work of ['l1', 'l2', 'l3', 'l4']) void it.submit(work, { priority: 3 });
  it.batches[0]?.answer();
  await it.turn();
  await it.turn(10);

  expect(it.batches[1]).toMatchObject({ works: ['l1', 'l2'] });
});
