import { once } from 'node:events';
import { connect } from 'node:net';
import process from 'node:process';
import { expect } from 'vitest';
import { type RawData, WebSocket } from 'ws';
import type { Target } from './target.ts';

/** One attack: `run` rejects when the target does not withstand it. */
export interface Attack {
  /** As in the list of threats. */
  readonly id: string;
  readonly title: string;
  readonly run: (target: Target) => Promise<void>;
}

/** Longest any attack waits for its answer. */
export const patienceMs = 15_000;

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly code: string | undefined;
  readonly headers: Headers;
}

/** Posts an operation as somebody with a valid key; `headers` replace that. */
export async function post(
  target: Target,
  body: unknown,
  headers: Readonly<Record<string, string>> = { authorization: `Bearer ${target.key}` },
): Promise<Answer> {
  const response = await fetch(target.graphUrl, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json',
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    signal: AbortSignal.timeout(patienceMs),
  });
  return answerFrom(response);
}

export async function answerFrom(response: Response): Promise<Answer> {
  const text = await response.text();
  return { status: response.status, text, code: codeIn(text), headers: response.headers };
}

function codeIn(text: string): string | undefined {
  try {
    const { errors } = JSON.parse(text);
    return errors?.[0]?.extensions?.code;
  } catch {
    return undefined;
  }
}

/** The answer is a refusal with one of these codes, short, and says nothing of the inside. */
export function expectRefusal(answer: Answer, status: number, ...codes: readonly string[]): void {
  expect({ status: answer.status, code: answer.code }).toEqual({
    status,
    code: codes.find((code) => code === answer.code) ?? codes[0],
  });
  expectNothingInside(answer.text);
}

export function expectNothingInside(text: string): void {
  expect(text.length).toBeLessThan(2_048);
  expect(text).not.toMatch(
    /Did you mean|\bat .*:\d+:\d+|node_modules|stack|postgres|SELECT |127\.0\.0\.1|subgraph/i,
  );
}

/** CPU time of this process, router included, that some work takes: the least of three tries, in ms. */
export async function cpuOf(work: () => Promise<void>): Promise<number> {
  const tries: number[] = [];
  for (let count = 0; count < 3; count += 1) {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    tries.push((user + system) / 1000);
  }
  return Math.min(...tries);
}

/** An operation over an initialised socket: its first message back. */
export async function overSocket(
  target: Target,
  payload: unknown,
): Promise<{ readonly type: string; readonly payload: unknown }> {
  const socket = await initialised(target);
  socket.send(JSON.stringify({ type: 'subscribe', id: 'a', payload }));
  const message = await Promise.race([nextMessage(socket), closed(socket)]);
  socket.terminate();
  return typeof message === 'number' ? { type: `closed ${message}`, payload: undefined } : message;
}

export async function initialised(
  target: Target,
  authorization = `Bearer ${target.key}`,
): Promise<WebSocket> {
  const socket = new WebSocket(target.socketUrl, 'graphql-transport-ws', {
    headers: { authorization },
  });
  await once(socket, 'open');
  socket.send('{"type":"connection_init"}');
  const ack = await nextMessage(socket);
  expect(ack.type).toBe('connection_ack');
  return socket;
}

export async function nextMessage(socket: WebSocket): Promise<{ type: string; payload: unknown }> {
  const [data] = (await once(socket, 'message', { signal: AbortSignal.timeout(patienceMs) })) as [
    RawData,
  ];
  return JSON.parse(textOf(data));
}

export async function closed(socket: WebSocket): Promise<number> {
  const [code] = await once(socket, 'close', { signal: AbortSignal.timeout(patienceMs) });
  return code;
}

/** Sends bytes as they are, and resolves with everything that came back when the peer closes. */
export async function raw(target: Target, text: string, then?: string): Promise<string> {
  const { hostname, port } = new URL(target.url);
  const socket = connect(Number(port), hostname);
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  socket.write(text);
  if (then !== undefined) socket.write(then);
  await once(socket, 'close', { signal: AbortSignal.timeout(patienceMs) });
  return received;
}

/** A message as text: sockets of these tests hand out buffers. */
export const textOf = (data: RawData): string =>
  Buffer.isBuffer(data) ? data.toString('utf8') : '';
