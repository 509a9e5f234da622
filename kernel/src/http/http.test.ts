import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { notFound, overloaded } from '../errors/index.ts';
import { silentLogger } from '../log/index.ts';
import { json, readBody, routes, serve } from './index.ts';

const table = {
  'GET /things/:name': (_request, response, { name }) => json(response, 200, { name }),
  'POST /things': async (request, response) => {
    const body = await readBody(request, 10);
    json(response, 201, { body: body.toString() });
  },
  'GET /missing': () => {
    throw notFound({ kind: 'thing' });
  },
  'GET /busy': () => {
    throw overloaded({ retryAfterMs: 1_500 });
  },
  'GET /broken': () => {
    throw new Error('secret detail');
  },
} satisfies Parameters<typeof routes>[0];

const start = async () => {
  const router = routes(table, silentLogger);
  return serve(
    (request, response) => {
      if (!router(request, response)) json(response, 404, {});
    },
    { port: 0, drainMs: 500 },
  );
};

test.for([
  ['GET', '/things/a%20b', 200, '{"name":"a b"}'],
  ['HEAD', '/things/a', 200, ''],
  ['DELETE', '/things/a', 405, 'METHOD_NOT_ALLOWED'],
  ['GET', '/things/a/b', 404, '{}'],
  ['GET', '/things/%E0%A4%A', 404, '{}'],
  ['GET', '/missing', 404, 'There is no such thing.'],
] as const)('%s %s answers %i', async ([method, path, status, body]) => {
  await using service = await start();

  const response = await fetch(`${service.url}${path}`, { method });

  expect(response.status).toBe(status);
  expect(await response.text()).toContain(body);
});

test('says when to come back, and nothing of what is inside', async () => {
  await using service = await start();

  const busy = await fetch(`${service.url}/busy`);
  const broken = await fetch(`${service.url}/broken`);

  expect([busy.status, busy.headers.get('retry-after')]).toEqual([429, '2']);
  expect(broken.status).toBe(500);
  expect(await broken.text()).not.toContain('secret detail');
});

test('takes a body up to its limit and no further, with and without a length', async () => {
  await using service = await start();
  const post = (body: string | ReadableStream<Uint8Array>) =>
    fetch(`${service.url}/things`, { method: 'POST', body, duplex: 'half' } as RequestInit);
  const chunked = new Blob(['12345678901']).stream();

  expect(await (await post('1234567890')).json()).toEqual({ body: '1234567890' });
  expect((await post('12345678901')).status).toBe(413);
  expect((await post(chunked)).status).toBe(413);
});

test('a taken port is one clear error', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => {
    other.listen(0, '127.0.0.1', resolve);
  });
  const address = other.address();
  const port = typeof address === 'object' && address ? address.port : 0;

  await expect(serve(() => {}, { port })).rejects.toMatchObject({ kind: { code: 'PORT_TAKEN' } });
  other.close();
});

test('stopping lets the request in hand finish and takes no new one', async () => {
  let finish = () => {};
  let began = () => {};
  const beginning = new Promise<void>((resolve) => {
    began = resolve;
  });
  const service = await serve(
    (_request, response) => {
      finish = () => response.end('done');
      began();
    },
    { port: 0 },
  );
  const answer = fetch(service.url);
  await beginning;

  const stopped = service[Symbol.asyncDispose]();
  await expect(fetch(service.url)).rejects.toThrow('fetch failed');
  finish();

  expect(await (await answer).text()).toBe('done');
  await stopped;
});
