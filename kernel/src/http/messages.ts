import type { IncomingMessage, ServerResponse } from 'node:http';
import { badUserInput, cancelled, defineError } from '../errors/index.ts';

export const bodyTooLarge = defineError(
  'PAYLOAD_TOO_LARGE',
  413,
  (_: Record<string, never>) => 'The request is larger than it may be.',
);

/** Answers with JSON and ends the response. */
export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    ...headers,
  });
  response.end(JSON.stringify(body));
}

/** The whole body. Throws PAYLOAD_TOO_LARGE as soon as more than `maxBytes` came, CANCELLED when `signal` aborts. */
export function readBody(
  request: IncomingMessage,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const abort = () => finish(() => reject(cancelled({})));
    const finish = (settle: () => void) => {
      request.off('data', take).off('end', end).off('error', fail).off('close', cut);
      signal?.removeEventListener('abort', abort);
      settle();
    };
    const take = (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      else
        finish(() => {
          request.pause();
          reject(bodyTooLarge({}));
        });
    };
    const end = () => finish(() => resolve(Buffer.concat(chunks)));
    const fail = (error: Error) => finish(() => reject(error));
    const cut = () =>
      finish(() => reject(badUserInput({ reason: 'The request ended before its body did.' })));

    if (Number(request.headers['content-length'] ?? 0) > maxBytes) reject(bodyTooLarge({}));
    else if (signal?.aborted) reject(cancelled({}));
    else {
      signal?.addEventListener('abort', abort, { once: true });
      request.on('data', take).once('end', end).once('error', fail).once('close', cut);
    }
  });
}
