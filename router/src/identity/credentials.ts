import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { answers } from '../errors.ts';

/** What a caller presented, unverified. */
export type Credential =
  | { readonly kind: 'none' }
  | { readonly kind: 'key'; readonly secret: string }
  | { readonly kind: 'jwt'; readonly secret: string };

const none: Credential = { kind: 'none' };

/** Longest credential looked at, in characters. */
const longest = 8_192;

/** The one credential of a request. Throws TWO_CREDENTIALS, CREDENTIAL_IN_URL or UNAUTHENTICATED. */
export function credentialOf(request: IncomingMessage): Credential {
  refuseCredentialInUrl(request.url ?? '/');
  const { authorization, 'x-api-key': apiKey } = request.headers;
  if (authorization === undefined && apiKey === undefined) return none;
  const presented = authorization !== undefined && apiKey !== undefined;
  if (presented || isRepeated(request, 'authorization') || isRepeated(request, 'x-api-key'))
    throw answers.TWO_CREDENTIALS();
  return authorization === undefined ? keyFrom(String(apiKey)) : bearerFrom(authorization);
}

/** The credential of a WebSocket: in the handshake's headers or in `connection_init`, not in both. */
export function credentialOfInit(payload: unknown, handshake: Credential): Credential {
  const found = Object.entries(isRecord(payload) ? payload : {}).filter(([name]) =>
    ['authorization', 'x-api-key', 'apikey'].includes(name.toLowerCase()),
  );
  const first = found[0];
  if (first === undefined) return handshake;
  if (found.length > 1 || handshake.kind !== 'none') throw answers.TWO_CREDENTIALS();
  const [name, value] = first;
  if (typeof value !== 'string') throw answers.UNAUTHENTICATED();
  return name.toLowerCase() === 'authorization' ? bearerFrom(value) : keyFrom(value);
}

/** Names a credential without holding it: what caches are keyed by. */
export const fingerprintOf = (secret: string): string =>
  createHash('sha256').update(secret).digest('base64');

function bearerFrom(header: string): Credential {
  const secret = /^Bearer ([^\s,]+)$/i.exec(header)?.[1];
  if (secret === undefined || secret.length > longest) throw answers.UNAUTHENTICATED();
  return secret.startsWith('opea_') ? keyFrom(secret) : { kind: 'jwt', secret };
}

function keyFrom(secret: string): Credential {
  if (!/^opea_[a-z0-9]{1,16}_[0-9A-Za-z]{16,128}$/.test(secret)) throw answers.UNAUTHENTICATED();
  return { kind: 'key', secret };
}

function isRepeated(request: IncomingMessage, name: string): boolean {
  let seen = 0;
  for (let at = 0; at < request.rawHeaders.length; at += 2)
    if (request.rawHeaders[at]?.toLowerCase() === name) seen += 1;
  return seen > 1;
}

const secretParameter = /^(authorization|access_token|token|key|api[-_]?key|x-api-key)$/i;

/** Addresses end up in logs of every hop: a credential there is spoilt, so say so. */
function refuseCredentialInUrl(url: string): void {
  const mark = url.indexOf('?');
  if (mark === -1) return;
  const query = url.slice(mark + 1);
  if (query.includes('opea_')) throw answers.CREDENTIAL_IN_URL();
  for (const name of new URLSearchParams(query).keys())
    if (secretParameter.test(name)) throw answers.CREDENTIAL_IN_URL();
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
