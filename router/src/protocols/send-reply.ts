import type { Exchange } from '../front/exchange.ts';
import type { Reply } from './protocol.ts';

/** Answers with one document, JSON or bytes, and ends. */
export function sendReply(
  { response, correlationId }: Exchange,
  { status = 200, body, headers }: Reply,
): void {
  if (response.headersSent || response.destroyed) return;
  const isBytes = body instanceof Uint8Array;
  const bytes = isBytes ? body : Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    'content-type': isBytes ? 'application/octet-stream' : 'application/json; charset=utf-8',
    'content-length': bytes.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-correlation-id': correlationId,
    ...headers,
  });
  response.end(bytes);
}
