import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PlatformError } from '@opea/kernel/errors';
import type { AnswerForm } from './accept.ts';
import { refusalBody } from './answer.ts';

/** One HTTP request with the names under which its traces are found. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly correlationId: string;
  readonly startedAt: number;
  /** Aborted when the client leaves before its answer is complete, or when its time is over. */
  readonly life: AbortController;
}

/** Refusals of a well-formed request that application/json answers with 200 (GraphQL over HTTP, 6.4.1). */
const legacyOk = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'VARIABLES_INVALID',
  'OPERATION_UNKNOWN',
]);

export function statusOf(error: PlatformError, form: AnswerForm): number {
  return form === 'json' && legacyOk.has(error.kind.code) ? 200 : error.kind.status;
}

/** Answers with one document and ends. */
export function sendDocument(
  { response, correlationId }: Exchange,
  answer: { readonly status: number; readonly form: AnswerForm; readonly text: string },
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent || response.destroyed) return;
  const type =
    answer.form === 'graphql-response' ? 'application/graphql-response+json' : 'application/json';
  response.writeHead(answer.status, {
    'content-type': `${type}; charset=utf-8`,
    'content-length': Buffer.byteLength(answer.text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-correlation-id': correlationId,
    ...headers,
  });
  response.end(answer.text);
}

/** Answers with a refusal and ends; the rest of a body that was not read is not waited for. */
export function sendRefusal(exchange: Exchange, form: AnswerForm, error: PlatformError): number {
  const status = statusOf(error, form);
  const text = JSON.stringify(refusalBody(error));
  sendDocument(exchange, { status, form, text }, refusalHeaders(exchange, status, error));
  return status;
}

/** What HTTP itself tells about a refusal, whatever its body says. */
export function refusalHeaders(
  { request }: Exchange,
  status: number,
  error: PlatformError,
): Readonly<Record<string, string>> {
  const { retryAfterMs } = error.details;
  return {
    ...(!request.complete && { connection: 'close' }),
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
    ...(status === 405 && { allow: 'GET, POST' }),
    ...(typeof retryAfterMs === 'number' && {
      'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1000))),
    }),
  };
}
