import { cancelled, maskError, type PlatformError } from '@opea/kernel/errors';
import { newId } from '@opea/kernel/ids';
import type { WebSocket } from 'ws';
import { answers } from '../errors.ts';
import { anonymous, type Caller } from '../identity/caller.ts';
import { type Credential, credentialOfInit } from '../identity/credentials.ts';
import type { Admitted } from './admission.ts';
import { answerText, refusalBody } from './answer.ts';
import { follow } from './follow.ts';
import { paramsFrom } from './params.ts';
import { writeProgress } from './progress.ts';
import type { EndReason } from './sessions.ts';
import type { SocketFrontOptions } from './socket-front.ts';
import { type ClientMessage, clientMessage, closeCodes } from './socket-messages.ts';

/** Speaks graphql-transport-ws on one socket until it closes. */
export function socketSession(
  socket: WebSocket,
  handshake: Credential,
  options: SocketFrontOptions,
): void {
  const { identity, policy, admit, operations, sessions, traffic, logger, limits } = options;
  const running = new Map<string, AbortController>();
  const progress = writeProgress(limits.stallMs);
  let phase: 'new' | 'checking' | 'ready' = 'new';
  let caller: Caller = anonymous;
  let watched: Disposable | undefined;
  let heard = true;

  const initTimer = setTimeout(() => {
    if (phase === 'new') socket.close(closeCodes.INIT_TIMEOUT, 'Connection initialisation timeout');
  }, limits.initMs);

  socket.on('message', (data, isBinary) => {
    heard = true;
    const message =
      isBinary || !Buffer.isBuffer(data) ? undefined : clientMessage(data.toString('utf8'));
    if (message === undefined) return socket.close(closeCodes.BAD_REQUEST, 'Invalid message');
    return receive(message);
  });
  socket.on('pong', () => {
    heard = true;
  });
  // ws reports what the peer did wrong (too large, not UTF-8) and closes with the right code.
  socket.on('error', () => undefined);
  socket.on('close', () => {
    clearTimeout(initTimer);
    watched?.[Symbol.dispose]();
    for (const operation of running.values()) operation.abort(cancelled({}));
  });

  function receive(message: ClientMessage): void {
    switch (message.type) {
      case 'connection_init':
        if (phase !== 'new')
          return socket.close(closeCodes.TOO_MANY_INITS, 'Too many initialisation requests');
        phase = 'checking';
        void initialise(message.payload);
        return undefined;
      case 'ping':
        void send('{"type":"pong"}');
        return undefined;
      case 'pong':
        return undefined;
      case 'subscribe':
        if (phase !== 'ready') return socket.close(closeCodes.UNAUTHORIZED, 'Unauthorized');
        if (running.has(message.id))
          return socket.close(closeCodes.DUPLICATE_ID, 'Subscriber already exists');
        void subscribe(message.id, message.payload);
        return undefined;
      case 'complete':
        running.get(message.id)?.abort(cancelled({}));
        running.delete(message.id);
        return undefined;
    }
  }

  async function initialise(payload: unknown): Promise<void> {
    try {
      caller = await identity.identify(credentialOfInit(payload, handshake));
    } catch (error) {
      const { kind } = maskError(error, logger);
      if (kind.code === 'TWO_CREDENTIALS') socket.close(closeCodes.BAD_REQUEST, 'Two credentials');
      else if (kind.code === 'UNAUTHENTICATED') socket.close(closeCodes.FORBIDDEN, 'Forbidden');
      else socket.close(closeCodes.TOO_MANY_SOCKETS, 'Try again later');
      return;
    }
    if (socket.readyState !== socket.OPEN) return;
    if (sessions.isFull(caller) && policy.refusalFor('SOCKETS') !== undefined)
      return socket.close(closeCodes.TOO_MANY_SOCKETS, 'Too many sockets');
    watched = sessions.watch({
      caller,
      end,
      isStalled: (nowMs) => progress.isStalled(nowMs),
      beat,
    });
    phase = 'ready';
    void send('{"type":"connection_ack"}');
  }

  function end(reason: EndReason): void {
    traffic.streamEnded(reason);
    for (const operation of running.values()) operation.abort(cancelled({}));
    if (reason === 'STALLED') socket.terminate();
    else if (reason === 'SHUTDOWN') socket.close(closeCodes.GOING_AWAY, 'Going away');
    else socket.close(closeCodes.FORBIDDEN, 'Forbidden');
    watched?.[Symbol.dispose]();
  }

  function beat(): void {
    if (!heard) return socket.terminate();
    heard = false;
    return socket.ping();
  }

  function send(text: string): Promise<void> {
    return new Promise((resolve) => {
      if (socket.readyState !== socket.OPEN) return resolve();
      progress.started();
      socket.send(text, () => {
        progress.finished();
        resolve();
      });
      return undefined;
    });
  }

  async function subscribe(id: string, payload: unknown): Promise<void> {
    const life = new AbortController();
    const startedAt = performance.now();
    const name = JSON.stringify(id);
    let admitted: Admitted | undefined;
    let failure: PlatformError | undefined;
    let sent = 0;
    const next = (text: string) => {
      sent += 1;
      return send(`{"id":${name},"type":"next","payload":${text}}`);
    };
    try {
      if (running.size >= limits.operationsPerSocket) policy.demand(['SOCKET_OPERATIONS']);
      running.set(id, life);
      const params = paramsFrom(payload);
      const bytes = params.query?.length ?? 0;
      admitted = await admit({ params, caller, bytes, method: 'POST' });
      const call = { admitted, caller, correlationId: newId(), life };
      if (admitted.isSubscription) {
        traffic.streamOpened('ws');
        try {
          await follow(await operations.subscribe(call), life.signal, (it) => next(answerText(it)));
        } finally {
          traffic.streamClosed('ws');
        }
      } else {
        const text = answerText(await operations.execute(call));
        if (text.length > limits.answerBytes) throw answers.ANSWER_TOO_LARGE();
        await next(text);
      }
      if (running.get(id) === life) await send(`{"id":${name},"type":"complete"}`);
    } catch (error) {
      failure = maskError(error, logger);
      const errors = JSON.stringify(refusalBody(failure).errors);
      if (failure.kind.code !== 'CANCELLED')
        await send(`{"id":${name},"type":"error","payload":${errors}}`);
    } finally {
      if (running.get(id) === life) running.delete(id);
    }
    traffic.operation({
      transport: 'ws',
      type: admitted?.operation.operation ?? 'unknown',
      operation: admitted?.operationName,
      document: admitted?.known.hash,
      caller,
      status: failure?.kind.status ?? 200,
      code: failure?.kind.code,
      startedAt,
      answers: sent,
    });
  }
}
