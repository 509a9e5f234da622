import { kill } from 'node:process';
import { silentLogger } from '@opea/kernel/log';
import { expect, test, vi } from 'vitest';
import { processChannel } from '../engines/worker-channel.ts';
import { WorkerHost } from '../engines/worker-host.ts';
import { openTinyGenerator } from '../testing/tiny-generator.ts';

const request = () => ({
  requestId: 'req',
  tenant: 'acme',
  signal: new AbortController().signal,
});
const endless = { prompt: 'a', maxTokens: 10_000, logitBias: { 0: -100 } };

test('a decoder process that is killed fails its generations with WORKER_CRASHED, and the next one is served', async () => {
  const now = () => performance.now();
  const host = new WorkerHost({
    openChannel: processChannel,
    threads: 1,
    logger: silentLogger,
    now,
  });
  const pool = {
    workers: 1,
    open: host.open.bind(host),
    openMany: () => Promise.reject(new Error('One worker only')),
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  };
  await using tiny = await openTinyGenerator({ pool, decoder: { context: 4_096 } });
  const { generator } = tiny;

  const running = Array.from({ length: 6 }, async () => {
    for await (const event of generator.generate(endless, request())) void event;
  });
  const outcomes = Promise.allSettled(running);
  await vi.waitFor(() => expect(generator.stats().steps).toBeGreaterThan(3), { timeout: 20_000 });
  if (host.pid === undefined) throw new Error('The worker has no process');
  kill(host.pid, 'SIGKILL');

  for (const outcome of await outcomes)
    expect(outcome).toMatchObject({
      status: 'rejected',
      reason: { kind: { code: 'WORKER_CRASHED' } },
    });
  expect(generator.stats().running).toBe(0);

  const events = [];
  for await (const event of generator.generate(
    { prompt: 'again', maxTokens: 4, seed: 1 },
    request(),
  ))
    events.push(event.type);
  expect(events.at(-1)).toBe('finished');
}, 60_000);
