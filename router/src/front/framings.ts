import type { PlatformError } from '@opea/kernel/errors';
import { answers } from '../errors.ts';
import type { GraphAnswer } from '../graph.ts';
import { answerText, refusalBody } from './answer.ts';
import type { Framing } from './http-stream.ts';
import type { EndReason } from './sessions.ts';

/** A framing with the way each answer is written in it. */
export interface AnswerFraming extends Framing {
  next(answer: GraphAnswer): string;
  readonly complete: string;
  /** What ends a stream whose source failed. */
  failure(error: PlatformError): string;
}

/** graphql-sse, "distinct connections mode": one event stream per operation. */
export const eventStream: AnswerFraming = {
  transport: 'sse',
  headers: { 'content-type': 'text/event-stream; charset=utf-8', connection: 'keep-alive' },
  opening: ':\n\n',
  heartbeat: ':\n\n',
  next: (answer) => `event: next\ndata: ${answerText(answer)}\n\n`,
  complete: 'event: complete\ndata:\n\n',
  failure: (error) =>
    `event: next\ndata: ${JSON.stringify(refusalBody(error))}\n\nevent: complete\ndata:\n\n`,
  ending: (reason) =>
    `event: next\ndata: ${JSON.stringify(refusalBody(refusalOf(reason)))}\n\nevent: complete\ndata:\n\n`,
};

const part = (text: string) =>
  `\r\ncontent-type: application/json; charset=utf-8\r\n\r\n${text}\r\n--graphql`;

/**
 * Apollo's multipart subscription protocol, version 1.0. Each part brings the boundary that closes
 * it: clients hand a part on when they see the next boundary.
 */
export const multipart: AnswerFraming = {
  transport: 'multipart',
  headers: { 'content-type': 'multipart/mixed;boundary="graphql";subscriptionSpec="1.0"' },
  opening: '\r\n--graphql',
  heartbeat: part('{}'),
  next: (answer) => part(`{"payload":${answerText(answer)}}`),
  complete: '--\r\n',
  failure: (error) => `${part(JSON.stringify({ payload: null, ...refusalBody(error) }))}--\r\n`,
  ending: (reason) =>
    `${part(JSON.stringify({ payload: null, ...refusalBody(refusalOf(reason)) }))}--\r\n`,
};

const refusalOf = (reason: EndReason) =>
  reason === 'EXPIRED' || reason === 'REVOKED' ? answers.UNAUTHENTICATED() : answers.UNAVAILABLE();
