import { type Client, createClient } from 'graphql-ws';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { endlessSource } from '../testing/endless-source.ts';
import { startTestRouter, type TestRouter } from '../testing/test-router.ts';

describe('operations over WebSocket', () => {
  it('streams a subscription to the graphql-ws client, one event at a time', async () => {
    await using router = await startTestRouter();
    const client = clientOf(router);
    const events: unknown[] = [];
    for await (const event of client.iterate({ query: 'subscription { count(to: 3) }' }))
      events.push(event);
    expect(events).toEqual([
      { data: { count: 1 } },
      { data: { count: 2 } },
      { data: { count: 3 } },
    ]);
    await client.dispose();
  });

  it('answers queries too', async () => {
    await using router = await startTestRouter();
    const client = clientOf(router);
    const { value } = await client.iterate({ query: '{ hello }' }).next();
    expect(value).toEqual({ data: { hello: 'hello world' } });
    await client.dispose();
  });

  it('tells the source to stop as soon as a client unsubscribes or disappears', async () => {
    for (const leave of ['unsubscribe', 'disconnect'] as const) {
      const source = endlessSource();
      await using router = await startTestRouter({ resolvers: { forever: source.open } });
      const client = clientOf(router);
      const iterator = client.iterate({ query: 'subscription { forever }' });
      await iterator.next();
      const leftAt = performance.now();
      if (leave === 'unsubscribe') void iterator.return?.();
      else client.terminate();
      await source.stopped;
      expect(performance.now() - leftAt).toBeLessThan(250);
      void iterator.return?.();
      await client.dispose();
    }
  });

  it('refuses an operation over a limit with an error that carries its code', async () => {
    await using router = await startTestRouter();
    const client = clientOf(router);
    const deep = `{ thing { ${'parent { '.repeat(20)} id ${'} '.repeat(20)} } }`;
    await expect(client.iterate({ query: deep }).next()).rejects.toMatchObject([
      { extensions: { code: 'DEPTH' } },
    ]);
    await client.dispose();
  });

  it.each([
    ['4408 without connection_init in time', { config: { socketInitMs: 50 } }, [], 4408],
    [
      '4401 for a subscribe before the ack',
      {},
      ['{"type":"subscribe","id":"1","payload":{}}'],
      4401,
    ],
    [
      '4429 for a second init',
      {},
      ['{"type":"connection_init"}', '{"type":"connection_init"}'],
      4429,
    ],
    ['4400 for text that is not JSON', {}, ['nonsense'], 4400],
    ['4400 for an unknown message', {}, ['{"type":"subscribe"}'], 4400],
    [
      '4403 for a credential that is not live',
      {},
      ['{"type":"connection_init","payload":{"authorization":"Bearer x.y.z"}}'],
      4403,
    ],
    ['1009 for a message over the limit', {}, [`"${'x'.repeat(70_000)}"`], 1009],
  ] as const)('closes with %s', async (_name, options, messages, code) => {
    await using router = await startTestRouter(options);
    const socket = new WebSocket(router.socketUrl, 'graphql-transport-ws');
    socket.on('open', () => {
      for (const message of messages) socket.send(message);
    });
    expect(await closeOf(socket)).toBe(code);
  });

  it('closes with 4409 when an operation id is used twice', async () => {
    const source = endlessSource();
    await using router = await startTestRouter({ resolvers: { forever: source.open } });
    const socket = await openSocket(router);
    const subscribe = JSON.stringify({
      type: 'subscribe',
      id: 'a',
      payload: { query: 'subscription { forever }' },
    });
    socket.send(subscribe);
    socket.send(subscribe);
    expect(await closeOf(socket)).toBe(4409);
    await source.stopped;
  });

  it('refuses the handshake of a foreign origin and of another sub-protocol', async () => {
    await using router = await startTestRouter();
    const foreign = new WebSocket(router.socketUrl, 'graphql-transport-ws', {
      origin: 'https://evil.example',
    });
    expect(await handshakeStatus(foreign)).toBe(403);
    const other = new WebSocket(router.socketUrl, 'graphql-ws');
    expect(await handshakeStatus(other)).toBe(400);
  });

  it('closes with 4403 within a second after the token expired', async () => {
    const source = endlessSource();
    await using router = await startTestRouter({ resolvers: { forever: source.open } });
    const token = await router.token({ expiresInMs: 1_500 });
    const socket = await openSocket(router, `Bearer ${token}`);
    const expiresAt = performance.now() + 1_500;
    socket.send('{"type":"subscribe","id":"a","payload":{"query":"subscription { forever }"}}');
    expect(await closeOf(socket)).toBe(4403);
    expect(performance.now() - expiresAt).toBeLessThan(1_000);
    await source.stopped;
  });

  it('refuses the twenty-first operation of a socket and lets the others run', async () => {
    const source = endlessSource();
    await using router = await startTestRouter({
      resolvers: { forever: source.open },
      config: { socketOperations: 2 },
    });
    const client = clientOf(router);
    const first = client.iterate({ query: 'subscription { forever }' });
    const second = client.iterate({ query: 'subscription { forever }' });
    await Promise.all([first.next(), second.next()]);
    await expect(client.iterate({ query: '{ hello }' }).next()).rejects.toMatchObject([
      { extensions: { code: 'SOCKET_OPERATIONS' } },
    ]);
    await first.return?.();
    await second.return?.();
    await client.dispose();
  });
});

function clientOf(router: TestRouter): Client {
  return createClient({
    url: router.socketUrl,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    connectionParams: { authorization: `Bearer ${router.key}` },
  });
}

async function openSocket(router: TestRouter, authorization = `Bearer ${router.key}`) {
  const socket = new WebSocket(router.socketUrl, 'graphql-transport-ws', {
    headers: { authorization },
  });
  await new Promise((resolve) => socket.once('open', resolve));
  socket.send('{"type":"connection_init"}');
  await new Promise((resolve) => socket.once('message', resolve));
  return socket;
}

const closeOf = (socket: WebSocket): Promise<number> =>
  new Promise((resolve) => {
    socket.once('close', resolve);
  });

const handshakeStatus = (socket: WebSocket): Promise<number | undefined> =>
  new Promise((resolve) => {
    socket.on('error', () => undefined);
    socket.once('unexpected-response', (_request, response) => resolve(response.statusCode));
  });
