import { hasCode, PlatformError } from '@opea/kernel/errors';
import { readBody } from '@opea/kernel/http';
import { answers } from '../errors.ts';
import type { GuardPolicy } from '../guards/policy.ts';
import { isJsonBody } from './accept.ts';
import type { Exchange } from './exchange.ts';
import { jsonFrom, type Params, paramsFrom, paramsFromUrl } from './params.ts';

export interface ReadParams {
  readonly params: Params;
  readonly bytes: number;
  readonly method: 'GET' | 'POST';
}

/** Headers that make a browser ask for permission before it sends a request across origins. */
const preflightHeaders = [
  'apollo-require-preflight',
  'x-apollo-operation-name',
  'x-graphql-client',
];

/** The parameters of one request, from its address or its body. Throws refusals. */
export async function readParams(exchange: Exchange, policy: GuardPolicy): Promise<ReadParams> {
  const { request } = exchange;
  if (request.method === 'GET') {
    const url = request.url ?? '/';
    const asked = preflightHeaders.some((name) => request.headers[name] !== undefined);
    if (!asked && !isJsonBody(request.headers['content-type'])) policy.demand(['CSRF']);
    return { params: paramsFromUrl(url), bytes: url.length, method: 'GET' };
  }
  if (request.method !== 'POST') throw answers.METHOD_NOT_ALLOWED();
  const { value, bytes } = await readJson(exchange, policy);
  if (Array.isArray(value)) policy.demand(['BATCH_OFF']);
  return { params: paramsFrom(value), bytes, method: 'POST' };
}

/** The body as JSON, within the bounds of size and time. Throws refusals. */
export async function readJson(
  exchange: Exchange,
  policy: GuardPolicy,
): Promise<{ readonly value: unknown; readonly bytes: number }> {
  if (!isJsonBody(exchange.request.headers['content-type'])) throw answers.UNSUPPORTED_MEDIA_TYPE();
  const body = await readBytes(exchange, policy);
  return { value: jsonFrom(body.toString('utf8')), bytes: body.length };
}

/** The body as it came, within the bounds of size and time. Throws refusals. */
export async function readBytes({ request, life }: Exchange, policy: GuardPolicy): Promise<Buffer> {
  if (request.headers['content-encoding'] !== undefined) throw answers.UNSUPPORTED_MEDIA_TYPE();
  const { bodyBytes, bodyMs } = policy.limits;
  const limit = policy.isOff('BODY') ? 64 * 1024 * 1024 : bodyBytes;
  const timer = setTimeout(() => life.abort(answers.BODY_TIMEOUT()), bodyMs);
  try {
    return await readBody(request, limit, life.signal);
  } catch (error) {
    if (life.signal.reason instanceof PlatformError) throw life.signal.reason;
    if (hasCode(error, 'PAYLOAD_TOO_LARGE')) policy.demand(['BODY']);
    if (hasCode(error, 'BAD_USER_INPUT')) throw answers.BAD_REQUEST({}, error);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
