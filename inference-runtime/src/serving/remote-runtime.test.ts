import { healthRoutes } from '@opea/kernel/health';
import { routes, serve } from '@opea/kernel/http';
import { silentLogger } from '@opea/kernel/log';
import {
  type GenerationEvent,
  type InferenceRuntime,
  type RequestOptions,
  remoteRuntime,
  type ServedVersion,
  type Tensor,
} from '@opea/schema/runtime';
import { afterEach, expect, test } from 'vitest';
import { invalidInput, overloaded } from '../errors.ts';
import { runtimeRoutes } from './runtime-routes.ts';

const version: ServedVersion = {
  versionId: 'v',
  modelId: 'm',
  model: 'echo',
  number: 1,
  kind: 'TENSOR',
  state: 'READY',
  signature: { inputs: [], outputs: [] },
};
const stops: AsyncDisposable[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop[Symbol.asyncDispose]();
});

/** A runtime behind HTTP and the client that reaches it. */
async function behindHttp(behaviour: Partial<InferenceRuntime>, token?: string) {
  const runtime: InferenceRuntime = {
    resolve: async () => version,
    predict: () => Promise.reject(new Error('not asked for')),
    generate: () => {
      throw new Error('not asked for');
    },
    models: async () => [version],
    ready: async () => [],
    async [Symbol.asyncDispose]() {},
    ...behaviour,
  };
  const table = {
    ...healthRoutes({ ready: () => runtime.ready() }),
    ...runtimeRoutes({
      runtime,
      logger: silentLogger,
      maxRequestBytes: 10_000,
      ...(token !== undefined && { token }),
    }),
  };
  const answer = routes(table, silentLogger);
  const service = await serve((request, response) => void answer(request, response), { port: 0 });
  stops.push(service);
  return { url: service.url, client: remoteRuntime({ url: service.url, ...(token && { token }) }) };
}

const ref = { tenant: 't', model: 'echo' };
const options = (signal = new AbortController().signal): RequestOptions => ({
  requestId: 'r',
  tenant: 't',
  priority: 1,
  deadlineMs: 500,
  signal,
});
const x: Tensor = { name: 'x', datatype: 'FP32', shape: [1, 2], data: Float32Array.of(1, 2) };

test('a prediction crosses HTTP with its options and comes back with its tensors', async () => {
  let heard: unknown;
  const { client } = await behindHttp({
    async predict(asked, inputs, { signal: _, ...rest }) {
      heard = { asked, rest };
      return {
        version,
        outputs: inputs,
        timing: { queueMs: 1, computeMs: 2, totalMs: 3 },
        batch: { size: 1, reason: 'IDLE', executionId: 'e' },
      };
    },
  });

  const result = await client.predict(ref, [x], options());

  expect(result).toMatchObject({ version, outputs: [x], batch: { reason: 'IDLE' } });
  expect(heard).toEqual({
    asked: ref,
    rest: { requestId: 'r', tenant: 't', priority: 1, deadlineMs: 500 },
  });
});

test.each([
  overloaded({ model: 'echo', reason: 'QUEUE_FULL', retryAfterMs: 70 }),
  invalidInput({ field: 'inputs.x', problem: 'is missing' }),
])('an error comes back as it was thrown there: %s', async (error) => {
  const { client } = await behindHttp({
    async predict() {
      throw error;
    },
  });

  await expect(client.predict(ref, [x], options())).rejects.toMatchObject({
    kind: error.kind,
    message: error.message,
    details: error.details,
  });
});

test('a caller that aborts cancels the prediction on the other side', async () => {
  const cancelledThere = deferred<void>();
  const started = deferred<void>();
  const { client } = await behindHttp({
    predict: (_, __, { signal }) =>
      new Promise((___, reject) => {
        started.resolve();
        signal.addEventListener('abort', () => {
          cancelledThere.resolve();
          reject(new Error('cancelled'));
        });
      }),
  });
  const aborter = new AbortController();
  const asked = client.predict(ref, [x], options(aborter.signal));
  const outcome = asked.catch(({ kind }: { kind: { code: string } }) => kind.code);
  await started.promise;

  aborter.abort();

  expect(await outcome).toBe('CANCELLED');
  await cancelledThere.promise;
});

test('tokens arrive one by one as they are made', async () => {
  const gate = deferred<void>();
  const { client } = await behindHttp({
    async *generate(): AsyncGenerator<GenerationEvent> {
      yield { type: 'started', version, promptTokens: 3, queueMs: 0 };
      await gate.promise;
      yield { type: 'token', index: 0, text: 'a', tokenId: 1, logprob: -1 };
      yield {
        type: 'finished',
        reason: 'STOP',
        text: 'a',
        usage: { promptTokens: 3, completionTokens: 1 },
        timing: { queueMs: 0, timeToFirstTokenMs: 1, totalMs: 2, tokensPerSecond: 1 },
        batch: { meanSize: 1 },
      };
    },
  });

  const events = client.generate(ref, { prompt: 'x' }, options())[Symbol.asyncIterator]();
  expect((await events.next()).value).toMatchObject({ type: 'started' });
  gate.resolve();
  expect((await events.next()).value).toMatchObject({ type: 'token', text: 'a' });
  expect((await events.next()).value).toMatchObject({ type: 'finished' });
  expect((await events.next()).done).toBe(true);
});

test('an error in the middle of a stream is thrown after what came before it', async () => {
  const { client } = await behindHttp({
    async *generate(): AsyncGenerator<GenerationEvent> {
      yield { type: 'started', version, promptTokens: 3, queueMs: 0 };
      throw overloaded({ model: 'echo', reason: 'X', retryAfterMs: 5 });
    },
  });
  const seen: string[] = [];

  const reading = (async () => {
    for await (const { type } of client.generate(ref, { prompt: 'x' }, options())) seen.push(type);
  })();

  await expect(reading).rejects.toMatchObject({ kind: { code: 'OVERLOADED' } });
  expect(seen).toEqual(['started']);
});

test('a reader that leaves a stream ends it on the other side', async () => {
  const ended = deferred<void>();
  const { client } = await behindHttp({
    async *generate(_, __, { signal }): AsyncGenerator<GenerationEvent> {
      yield { type: 'started', version, promptTokens: 3, queueMs: 0 };
      await new Promise<void>((resolve) =>
        signal.addEventListener('abort', () => resolve(), { once: true }),
      );
      ended.resolve();
    },
  });

  for await (const _ of client.generate(ref, { prompt: 'x' }, options())) break;

  await expect(ended.promise).resolves.toBeUndefined();
});

test('a body beyond the limit is refused with its own code', async () => {
  const { client } = await behindHttp({});
  const large: Tensor = {
    name: 'x',
    datatype: 'UINT8',
    shape: [1, 20_000],
    data: new Uint8Array(20_000),
  };

  await expect(client.predict(ref, [large], options())).rejects.toMatchObject({
    kind: { code: 'PAYLOAD_TOO_LARGE' },
  });
});

test('without the token the runtime answers nobody', async () => {
  const { url, client } = await behindHttp({}, 'a long token');

  await expect(client.models()).resolves.toEqual([version]);
  await expect(remoteRuntime({ url }).models()).rejects.toMatchObject({
    kind: { code: 'UNAUTHENTICATED' },
  });
});

test('a runtime that is not there is UNAVAILABLE', async () => {
  const client = remoteRuntime({ url: 'http://127.0.0.1:1' });

  await expect(client.predict(ref, [x], options())).rejects.toMatchObject({
    kind: { code: 'UNAVAILABLE' },
  });
  expect(await client.ready()).toMatchObject([{ ok: false }]);
});

function deferred<Value>() {
  let resolve: (value: Value) => void = () => {};
  const promise = new Promise<Value>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
