import { silentLogger } from '@opea/kernel/log';
import type { Tensor } from '@opea/schema/runtime';
import { expect, test } from 'vitest';
import { temporaryFolder, writeModelFile } from '../testing/model-files.ts';
import { affineModel, perceptronModel } from '../testing/tiny-models.ts';
import type { Execution } from './engine.ts';
import { type OpenChannel, processChannel } from './worker-channel.ts';
import { WorkerHost } from './worker-host.ts';
import type { FromWorker, ToWorker } from './worker-protocol.ts';

/** A worker whose every step a test decides. */
function fakeWorker() {
  const lives: {
    sent: ToWorker[];
    say(message: FromWorker): void;
    die(reason: string): void;
    open(): void;
  }[] = [];
  const openChannel: OpenChannel = ({ onMessage, onExit }) => {
    const sent: ToWorker[] = [];
    lives.push({
      sent,
      say: onMessage,
      die: onExit,
      open() {
        for (const message of sent)
          if (message.type === 'open')
            onMessage({ type: 'opened', program: message.program, info: 'info' });
      },
    });
    return {
      pid: undefined,
      post: (message) => void sent.push(message),
      terminate: async () => {},
    };
  };
  let now = 0;
  const host = new WorkerHost({ openChannel, threads: 1, logger: silentLogger, now: () => now });
  const life = (n: number) => {
    const found = lives[n];
    if (!found) throw new Error(`the worker has not lived ${n} times`);
    return found;
  };
  return { host, lives, life, advance: (ms: number) => void (now += ms) };
}

const opening = { program: 'tensor', name: 'm@1', init: {} } as const;
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'OK',
    (error: { kind?: { code: string } }) => error.kind?.code ?? 'NO_CODE',
  );

async function opened(worker: ReturnType<typeof fakeWorker>, name = 'm@1') {
  const handle = worker.host.open({ ...opening, name });
  worker.lives.at(-1)?.open();
  return await handle;
}

function callsOf({ sent }: { readonly sent: readonly ToWorker[] }) {
  return sent.flatMap((message) => (message.type === 'call' ? [message.call] : []));
}

test('what ran when the worker died fails; the program is opened again and answers', async () => {
  const worker = fakeWorker();
  const handle = await opened(worker);
  const lost: string[] = [];
  handle.onLost((reason) => lost.push(reason.message));
  const running = codeOf(handle.call('run', 1));

  worker.life(0).die('exit code 1');
  expect(await running).toBe('WORKER_CRASHED');
  expect(lost).toHaveLength(1);

  const next = handle.call('run', 2);
  worker.life(1).open();
  await expect.poll(() => callsOf(worker.life(1)).length).toBe(1);
  const [call = -1] = callsOf(worker.life(1));
  worker.life(1).say({ type: 'returned', call, value: 'answer' });
  expect(await next).toBe('answer');
});

test('a program that keeps killing its worker rests, and the others are served', async () => {
  const worker = fakeWorker();
  const bad = await opened(worker, 'bad@1');
  const good = await opened(worker, 'good@1');
  for (let crash = 0; crash < 3; crash++) {
    const running = codeOf(bad.call('run', 1));
    await expect.poll(() => callsOf(worker.life(crash)).length).toBe(1);
    worker.life(crash).die('exit code 134');
    expect(await running).toBe('WORKER_CRASHED');
    worker.life(crash + 1).open();
  }

  await expect(bad.call('run', 1)).rejects.toMatchObject({
    kind: { code: 'CIRCUIT_OPEN' },
    details: { model: 'bad@1', retryAfterMs: 30_000 },
  });
  const served = good.call('run', 1);
  await expect.poll(() => callsOf(worker.life(3)).length).toBe(1);
  worker.life(3).say({ type: 'returned', call: callsOf(worker.life(3))[0] ?? -1, value: 1 });
  expect(await served).toBe(1);

  worker.advance(30_000);
  const retried = bad.call('run', 1);
  worker.life(3).open();
  await expect.poll(() => callsOf(worker.life(3)).length).toBe(2);
  worker.life(3).say({ type: 'returned', call: callsOf(worker.life(3))[1] ?? -1, value: 2 });
  expect(await retried).toBe(2);
});

test('a worker that dies whenever it starts is not started for ever', async () => {
  const worker = fakeWorker();
  const handle = await opened(worker);
  for (let start = 0; start < worker.lives.length; start++) worker.life(start).die('cannot load');

  expect(worker.lives.length).toBeLessThanOrEqual(4);
  expect(await codeOf(handle.call('run', 1))).toBe('CIRCUIT_OPEN');
});

test('a program whose worker dies while it starts is not kept, and another may be opened', async () => {
  const worker = fakeWorker();
  const refused = codeOf(worker.host.open(opening));
  worker.life(0).die('out of memory');

  expect(await refused).toBe('WORKER_CRASHED');
  expect(worker.host.programs).toEqual([]);
  const again = worker.host.open(opening);
  worker.life(1).open();
  await again;
});

test('a program that refuses to start is not kept', async () => {
  const worker = fakeWorker();
  const handle = codeOf(worker.host.open(opening));
  const error = { message: 'bad file', code: 'MODEL_REFUSED' };
  worker.life(0).say({ type: 'refused', program: 0, error });

  expect(await handle).toBe('MODEL_REFUSED');
  expect(worker.host.programs).toEqual([]);
});

test('disposing rejects what is under way', async () => {
  const worker = fakeWorker();
  const handle = await opened(worker);
  const running = codeOf(handle.call('run', 1));

  await worker.host[Symbol.asyncDispose]();

  expect(await running).toBe('UNAVAILABLE');
});

test('a worker process killed in the middle of an execution fails that one, and a new one takes its place', async () => {
  await using folder = await temporaryFolder();
  const file = async (bytes: Uint8Array) => {
    const { path, digest } = await writeModelFile(folder.path, bytes);
    return { name: 'm@1', path, digest };
  };
  await using host = new WorkerHost({
    openChannel: processChannel,
    threads: 1,
    logger: silentLogger,
    now: () => performance.now(),
  });
  const slow = await host.open({ ...opening, init: await file(perceptronModel({ width: 512 })) });
  const quick = await host.open({ ...opening, init: await file(affineModel()) });
  const x = (rows: number, width: number): Tensor => ({
    name: 'x',
    datatype: 'FP32',
    shape: [rows, width],
    data: new Float32Array(rows * width),
  });
  const first = host.pid;

  const running = codeOf(slow.call('run', [x(8_192, 512)]));
  process.kill(first ?? 0, 'SIGKILL');
  expect(await running).toBe('WORKER_CRASHED');
  const { outputs } = await quick.call<Execution>('run', [x(1, 4)]);

  expect(outputs[0]?.data).toEqual(Float32Array.of(1, 1, 1, 1));
  expect(host.pid).not.toBe(first);
});

test('a worker process that takes too much memory is killed alone, and a new one takes its place', async () => {
  await using folder = await temporaryFolder();
  const { path, digest } = await writeModelFile(folder.path, perceptronModel({ width: 512 }));
  await using host = new WorkerHost({
    openChannel: processChannel,
    threads: 1,
    maxMemoryBytes: 600 * 1024 ** 2,
    logger: silentLogger,
    now: () => performance.now(),
  });
  const model = await host.open({ ...opening, init: { name: 'm@1', path, digest } });
  const run = (rows: number) => {
    const data = new Float32Array(rows * 512);
    return model.call<Execution>('run', [
      { name: 'x', datatype: 'FP32', shape: [rows, 512], data },
    ]);
  };

  expect(await codeOf(run(200_000))).toBe('WORKER_CRASHED');
  const { outputs } = await run(1);

  expect(outputs[0]?.shape).toEqual([1, 512]);
}, 60_000);
