/* oxlint-disable vitest/no-standalone-expect -- attacks are a table; attacks.test.ts runs each inside a test */
import { once } from 'node:events';
import { expect } from 'vitest';
import { WebSocket } from 'ws';
import { type Attack, closed, initialised, overSocket, patienceMs, raw, textOf } from './attack.ts';
import type { Target } from './target.ts';

const forever = { query: 'subscription { registryEvents { cursor } }' };

/** Opens a socket, sends the messages, and resolves with the code it is closed with. */
async function closeAfter(
  target: Target,
  messages: readonly string[],
  options: { readonly protocol?: string; readonly origin?: string } = {},
): Promise<number> {
  const { protocol = 'graphql-transport-ws', origin } = options;
  const socket = new WebSocket(target.socketUrl, protocol, origin === undefined ? {} : { origin });
  socket.on('error', () => undefined);
  socket.once('open', () => {
    for (const message of messages) socket.send(message);
  });
  return closed(socket);
}

async function handshakeOf(target: Target, protocol: string, origin?: string): Promise<number> {
  const socket = new WebSocket(target.socketUrl, protocol, origin === undefined ? {} : { origin });
  socket.on('error', () => undefined);
  const [, response] = await Promise.race([
    once(socket, 'unexpected-response', { signal: AbortSignal.timeout(patienceMs) }),
    once(socket, 'open').then(() => [undefined, { statusCode: 101 }]),
  ]);
  socket.terminate();
  return response.statusCode;
}

const init = (payload: unknown): string => JSON.stringify({ type: 'connection_init', payload });
const subscribe = (id: string, payload: unknown): string =>
  JSON.stringify({ type: 'subscribe', id, payload });

const closes = (id: string, title: string, code: number, messages: readonly string[]): Attack => ({
  id,
  title,
  run: async (target) => expect(await closeAfter(target, messages)).toBe(code),
});

export const socketAttacks: readonly Attack[] = [
  ...['https://evil.example', 'null', 'http://127.0.0.1.evil.example'].map(
    (origin): Attack => ({
      id: 'A53',
      title: `a socket from a page of ${origin}`,
      run: async (target) =>
        expect(await handshakeOf(target, 'graphql-transport-ws', origin)).toBe(403),
    }),
  ),
  {
    id: 'A54',
    title: 'a socket that never introduces itself',
    async run(target) {
      const startedAt = performance.now();
      expect(await closeAfter(target, [])).toBe(4408);
      expect(performance.now() - startedAt).toBeLessThan(4_000);
    },
  },
  closes('A55', 'an operation before the ack', 4401, [subscribe('a', forever)]),
  closes('A56', 'a second introduction', 4429, [init(undefined), init(undefined)]),
  closes('A57', 'a message that is not JSON', 4400, ['hello']),
  closes('A57', 'a message of no known type', 4400, ['{"type":"start","id":"1"}']),
  closes('A57', 'an operation without an id', 4400, ['{"type":"subscribe","payload":{}}']),
  closes('A60', 'a message of 90 KB', 1009, [init({ x: 'y'.repeat(90_000) })]),
  {
    id: 'A58',
    title: 'an operation id used twice',
    async run(target) {
      const socket = await initialised(target);
      socket.send(subscribe('a', forever));
      socket.send(subscribe('a', forever));
      expect(await closed(socket)).toBe(4409);
    },
  },
  {
    id: 'A59',
    title: 'another sub-protocol',
    run: async (target) => expect(await handshakeOf(target, 'graphql-ws')).toBe(400),
  },
  {
    id: 'A60',
    title: 'a frame that announces 90 MiB',
    async run(target) {
      const head = [
        'GET /graphql HTTP/1.1',
        'host: x',
        'upgrade: websocket',
        'connection: upgrade',
        'sec-websocket-version: 13',
        'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
        'sec-websocket-protocol: graphql-transport-ws',
        '\r\n',
      ].join('\r\n');
      const frame = Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0x05, 0xa0, 0, 0, 1, 2, 3, 4]);
      const answer = await raw(target, head, frame.toString('latin1'));
      expect(answer).toMatch(/^HTTP\/1\.1 101 /);
    },
  },
  closes('A62', 'a key that is not live', 4403, [
    init({ authorization: `Bearer opea_test_${'z'.repeat(49)}` }),
  ]),
  closes('A62', 'a credential that is no text', 4403, [init({ authorization: { toString: 'x' } })]),
  {
    id: 'A62',
    title: 'a token that expired before it was shown',
    async run(target) {
      const token = await target.token({ expiresInMs: -1_000 });
      expect(await closeAfter(target, [init({ authorization: `Bearer ${token}` })])).toBe(4403);
    },
  },
  {
    id: 'A63',
    title: 'a token that expires while events flow',
    async run(target) {
      const token = await target.token({ expiresInMs: 2_000 });
      const expiresAt = performance.now() + 2_000;
      const socket = await initialised(target, `Bearer ${token}`);
      socket.send(subscribe('a', forever));
      expect(await closed(socket)).toBe(4403);
      expect(performance.now() - expiresAt).toBeLessThan(1_000);
    },
  },
  {
    id: 'A52',
    title: 'more operations on a socket than it may have',
    async run(target) {
      const socket = await initialised(target);
      const refused = new Promise<unknown>((resolve) => {
        socket.on('message', (data) => {
          const message = JSON.parse(textOf(data));
          if (message.type === 'error') resolve(message.payload[0].extensions.code);
        });
      });
      for (let count = 0; count < 25; count += 1) socket.send(subscribe(`op-${count}`, forever));
      const late = new Promise((resolve) => setTimeout(resolve, 5_000, 'nothing was refused'));
      expect(await Promise.race([refused, late])).toBe('SOCKET_OPERATIONS');
      socket.terminate();
    },
  },
  {
    id: 'A67',
    title: 'more operations than a minute allows, over a socket after HTTP',
    async run(target) {
      const query = '{ featureViews(first: 1) { edges { cursor } } }';
      let last = await overSocket(target, { query });
      for (let count = 0; count < 40 && last.type === 'next'; count += 1)
        last = await overSocket(target, { query });
      expect(last.payload).toMatchObject([{ extensions: { code: 'RATE' } }]);
    },
  },
  {
    id: 'A64',
    title: 'a key revoked while events flow',
    async run(target) {
      const socket = await initialised(target);
      socket.send(subscribe('a', forever));
      const revokedAt = performance.now();
      target.revoke();
      try {
        expect(await closed(socket)).toBe(4403);
        expect(performance.now() - revokedAt).toBeLessThan(5_000);
      } finally {
        target.restore();
      }
    },
  },
];
