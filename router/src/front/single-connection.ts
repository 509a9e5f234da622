import { cancelled, maskError, type PlatformError } from '@opea/kernel/errors';
import { newId } from '@opea/kernel/ids';
import type { Logger } from '@opea/kernel/log';
import { answers } from '../errors.ts';
import type { GuardPolicy } from '../guards/policy.ts';
import type { Caller } from '../identity/caller.ts';
import type { Admit } from './admission.ts';
import { answerText, refusalBody } from './answer.ts';
import type { Exchange } from './exchange.ts';
import { follow } from './follow.ts';
import { eventStream } from './framings.ts';
import { type HttpStream, openHttpStream } from './http-stream.ts';
import type { Operations } from './operations.ts';
import { paramsFrom } from './params.ts';
import { readJson } from './read-params.ts';
import type { Sessions } from './sessions.ts';
import type { Traffic } from './traffic.ts';

export interface SingleConnections {
  /** Serves a request of the single connection mode, or says false. Throws refusals. */
  handle(exchange: Exchange, caller: Caller): Promise<boolean>;
}

interface Reservation {
  readonly caller: Caller;
  readonly operations: Map<string, AbortController>;
  stream: HttpStream | undefined;
}

const tokenHeader = 'x-graphql-event-stream-token';
/** How long a reservation waits for its event stream. */
const waitMs = 30_000;
const mostReservations = 10_000;
const mostOperations = 20;

/**
 * graphql-sse, "single connection mode": PUT reserves a stream, GET opens it, POST adds an
 * operation to it, DELETE stops one. Streams belong to the caller who reserved them.
 */
export function singleConnections(options: {
  readonly policy: GuardPolicy;
  readonly admit: Admit;
  readonly operations: Operations;
  readonly sessions: Sessions;
  readonly traffic: Traffic;
  readonly logger: Logger;
  readonly stallMs: number;
}): SingleConnections {
  const reservations = new Map<string, Reservation>();

  return {
    async handle(exchange, caller) {
      const { request } = exchange;
      if (request.method === 'PUT') {
        reserve(exchange, caller);
        return true;
      }
      const token = tokenOf(exchange);
      if (token === undefined) return false;
      const reservation = reservations.get(token);
      if (reservation === undefined || !isSame(reservation.caller, caller))
        throw answers.NOT_FOUND();
      if (request.method === 'GET') await open(exchange, token, reservation);
      else if (request.method === 'POST') await start(exchange, reservation);
      else if (request.method === 'DELETE') stop(exchange, reservation);
      else throw answers.METHOD_NOT_ALLOWED();
      return true;
    },
  };

  function reserve({ response }: Exchange, caller: Caller): void {
    if (caller.kind === 'anonymous') throw answers.UNAUTHENTICATED();
    if (reservations.size >= mostReservations) throw answers.UNAVAILABLE();
    const token = newId();
    const reservation: Reservation = { caller, operations: new Map(), stream: undefined };
    reservations.set(token, reservation);
    setTimeout(() => {
      if (reservation.stream === undefined) reservations.delete(token);
    }, waitMs).unref();
    response.writeHead(201, { 'content-type': 'text/plain; charset=utf-8' }).end(token);
  }

  async function open(exchange: Exchange, token: string, reservation: Reservation): Promise<void> {
    if (reservation.stream !== undefined) throw answers.BAD_REQUEST();
    if (options.sessions.isFull(reservation.caller)) options.policy.demand(['SOCKETS']);
    using stream = openHttpStream(exchange, eventStream, {
      ...options,
      caller: reservation.caller,
    });
    reservation.stream = stream;
    await new Promise<void>((resolve) => {
      stream.life.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    reservations.delete(token);
    for (const operation of reservation.operations.values()) operation.abort(cancelled({}));
  }

  async function start(exchange: Exchange, reservation: Reservation): Promise<void> {
    const { value, bytes } = await readJson(exchange, options.policy);
    const params = paramsFrom(value);
    const id = params.extensions['operationId'];
    if (typeof id !== 'string' || id === '' || id.length > 128) throw answers.BAD_REQUEST();
    if (reservation.stream === undefined) throw answers.NOT_FOUND();
    if (reservation.operations.has(id)) throw answers.BAD_REQUEST();
    if (reservation.operations.size >= mostOperations) options.policy.demand(['SOCKET_OPERATIONS']);
    const { caller } = reservation;
    const admitted = await options.admit({ params, caller, bytes, method: 'POST' });
    const life = new AbortController();
    reservation.operations.set(id, life);
    exchange.response.writeHead(202).end();
    const call = { admitted, caller, correlationId: exchange.correlationId, life };
    void run(reservation, reservation.stream, id, call);
  }

  async function run(
    reservation: Reservation,
    stream: HttpStream,
    id: string,
    call: Parameters<Operations['execute']>[0],
  ): Promise<void> {
    const name = JSON.stringify(id);
    const startedAt = performance.now();
    let sent = 0;
    let failure: PlatformError | undefined;
    const next = (payload: string) => {
      sent += 1;
      return stream.write(`event: next\ndata: {"id":${name},"payload":${payload}}\n\n`);
    };
    try {
      if (call.admitted.isSubscription)
        await follow(await options.operations.subscribe(call), call.life.signal, (answer) =>
          next(answerText(answer)),
        );
      else await next(answerText(await options.operations.execute(call)));
    } catch (error) {
      failure = maskError(error, options.logger);
      if (reservation.operations.has(id)) await next(JSON.stringify(refusalBody(failure)));
    }
    // Gone from the list means that the client stopped it and waits for no more.
    if (reservation.operations.delete(id))
      await stream.write(`event: complete\ndata: {"id":${name}}\n\n`);
    options.traffic.operation({
      transport: 'sse',
      type: call.admitted.operation.operation,
      operation: call.admitted.operationName,
      document: call.admitted.known.hash,
      caller: call.caller,
      status: failure?.kind.status ?? 200,
      code: failure?.kind.code,
      startedAt,
      answers: sent,
    });
  }

  function stop({ request, response }: Exchange, reservation: Reservation): void {
    const url = request.url ?? '';
    const mark = url.indexOf('?');
    const id = new URLSearchParams(mark === -1 ? '' : url.slice(mark + 1)).get('operationId');
    if (id === null) throw answers.BAD_REQUEST();
    reservation.operations.get(id)?.abort(cancelled({}));
    reservation.operations.delete(id);
    response.writeHead(200).end();
  }
}

/** The protocol also names the stream in the query of its address; a header keeps it out of logs. */
function tokenOf({ request }: Exchange): string | undefined {
  const token = request.headers[tokenHeader];
  return typeof token === 'string' ? token : undefined;
}

const isSame = (left: Caller, right: Caller): boolean =>
  left.kind !== 'anonymous' &&
  right.kind !== 'anonymous' &&
  left.viewer.id === right.viewer.id &&
  left.viewer.tenant === right.viewer.tenant;
