import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startTestRouter, type TestRouter } from '../testing/test-router.ts';

/** Events of 64 KiB, as fast as they are taken, until somebody stops them. */
function flood() {
  const text = 'x'.repeat(65_536);
  let sent = 0;
  let stop: (() => void) | undefined;
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  return {
    stopped,
    sent: () => sent,
    open: () => ({
      [Symbol.asyncIterator]() {
        return this;
      },
      next() {
        sent += 1;
        return Promise.resolve({ done: false, value: { words: text } });
      },
      return() {
        stop?.();
        return Promise.resolve({ done: true, value: undefined });
      },
    }),
  };
}

const sdl = 'type Query { a: Int } type Subscription { words: String }';
const operation = JSON.stringify({ query: 'subscription { words }' });

async function eventStream(router: TestRouter): Promise<Socket> {
  const { hostname, port } = new URL(router.url);
  const socket = connect(Number(port), hostname);
  socket.pause();
  socket.on('error', () => undefined);
  socket.write(
    `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\naccept: text/event-stream\r\nauthorization: Bearer ${router.key}\r\ncontent-length: ${operation.length}\r\n\r\n${operation}`,
  );
  return socket;
}

async function webSocket(router: TestRouter): Promise<{ destroy(): void }> {
  const socket = new WebSocket(router.socketUrl, 'graphql-transport-ws', {
    headers: { authorization: `Bearer ${router.key}` },
  });
  socket.on('error', () => undefined);
  await once(socket, 'open');
  socket.send('{"type":"connection_init"}');
  await once(socket, 'message');
  socket.pause();
  socket.send(`{"type":"subscribe","id":"a","payload":${operation}}`);
  return { destroy: () => socket.terminate() };
}

describe.each([
  ['an event stream', eventStream],
  ['a WebSocket', webSocket],
] as const)('a reader of %s that stops reading', (_name, open) => {
  it('is cut off, and holds no more than a few events until then', async () => {
    const source = flood();
    await using router = await startTestRouter({
      sdl,
      resolvers: { words: source.open },
      config: { stallMs: 1_000 },
    });
    const reader = await open(router);
    await source.stopped;
    // What the operating system's buffers took, and one that waits: the router itself queues nothing.
    expect(source.sent()).toBeLessThan(200);
    expect(await router.metrics.registry.metrics()).toContain(
      'opea_router_streams_ended_total{reason="STALLED"} 1',
    );
    reader.destroy();
  });
});
