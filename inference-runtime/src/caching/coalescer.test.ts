import { cancelled, deadlineExceeded } from '@opea/kernel/errors';
import { expect, test } from 'vitest';
import { Coalescer } from './coalescer.ts';

/** Work that ends when a test says so. */
function work() {
  const runs: { signal: AbortSignal; resolve(value: string): void; reject(error: Error): void }[] =
    [];
  const run = (signal: AbortSignal) =>
    new Promise<string>((resolve, reject) => {
      runs.push({ signal, resolve, reject });
      signal.addEventListener('abort', () => reject(cancelled({})));
    });
  return { runs, run };
}

test('equal work under way runs once, and who joined is told so', async () => {
  const coalescer = new Coalescer<string>();
  const { runs, run } = work();
  const { signal } = new AbortController();
  const answers = Promise.all([1, 2, 3].map(() => coalescer.run('d', signal, run)));
  runs[0]?.resolve('answer');

  expect((await answers).map(({ joined }) => joined)).toEqual([false, true, true]);
  expect(runs).toHaveLength(1);
  void coalescer.run('d', signal, run);
  expect(runs).toHaveLength(2);
});

test('other work runs on its own', () => {
  const coalescer = new Coalescer<string>();
  const { runs, run } = work();
  const { signal } = new AbortController();
  void coalescer.run('a', signal, run);
  void coalescer.run('b', signal, run);

  expect(runs).toHaveLength(2);
});

test('one who gives up leaves the others their answer; with the last one the work is cancelled', async () => {
  const coalescer = new Coalescer<string>();
  const { runs, run } = work();
  const first = new AbortController();
  const second = new AbortController();
  const started = coalescer.run('d', first.signal, run).catch(() => 'gone');
  const joined = coalescer.run('d', second.signal, run).catch(() => 'gone');

  first.abort();
  expect(await started).toBe('gone');
  expect(runs[0]?.signal.aborted).toBe(false);
  second.abort();
  expect(await joined).toBe('gone');
  expect(runs[0]?.signal.aborted).toBe(true);
});

test('who joined is not bound by the deadline of who started', async () => {
  const coalescer = new Coalescer<string>();
  const { runs, run } = work();
  const { signal } = new AbortController();
  const started = coalescer.run('d', signal, run).catch(() => 'late');
  const joined = coalescer.run('d', signal, run);
  runs[0]?.reject(deadlineExceeded({}));
  expect(await started).toBe('late');
  await expect.poll(() => runs.length).toBe(2);
  runs[1]?.resolve('answer');

  expect(await joined).toEqual({ answer: 'answer', joined: false });
});

test('a failure of the work itself is everybody’s', async () => {
  const coalescer = new Coalescer<string>();
  const { runs, run } = work();
  const { signal } = new AbortController();
  const both = Promise.allSettled([
    coalescer.run('d', signal, run),
    coalescer.run('d', signal, run),
  ]);
  runs[0]?.reject(new Error('broken'));

  expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(runs).toHaveLength(1);
});
