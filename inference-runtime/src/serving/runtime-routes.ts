import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { maskError, unauthenticated } from '@opea/kernel/errors';
import { type Handler, json, type RouteTable, readBody } from '@opea/kernel/http';
import type { Logger } from '@opea/kernel/log';
import {
  decodeTensorFrame,
  encodeTensorFrame,
  type InferenceRuntime,
  tensorFrameType,
} from '@opea/schema/runtime';
import { parseGenerateRequest, parsePredictHead, parseRef } from './requests.ts';

export interface RuntimeRoutesOptions {
  readonly runtime: InferenceRuntime;
  readonly logger: Logger;
  /** Largest request, bytes. */
  readonly maxRequestBytes: number;
  /** Asked for as `authorization: Bearer …`; without it everybody who can connect may call. */
  readonly token?: string;
}

/** The runtime protocol over HTTP. A client that goes away cancels its work. */
export function runtimeRoutes(options: RuntimeRoutesOptions): RouteTable {
  const { runtime, logger, maxRequestBytes } = options;

  const guarded =
    (
      handler: (
        request: IncomingMessage,
        response: ServerResponse,
        signal: AbortSignal,
      ) => Promise<void>,
    ): Handler =>
    async (request, response) => {
      const gone = new AbortController();
      response.once('close', () => gone.abort());
      try {
        checkToken(request, options.token);
        await handler(request, response, gone.signal);
      } catch (reason) {
        const error = wireError(reason, logger);
        if (response.headersSent) response.end(`${JSON.stringify({ error })}\n`);
        else json(response, error.status, { error }, retryAfter(error.details));
      }
    };

  return {
    'POST /runtime/resolve': guarded(async (request, response) => {
      const ref = parseRef(await readJson(request, maxRequestBytes));
      json(response, 200, await runtime.resolve(ref));
    }),
    'POST /runtime/predict': guarded(async (request, response, signal) => {
      const { head, tensors } = decodeTensorFrame(await readBody(request, maxRequestBytes, signal));
      const { ref, options: asked } = parsePredictHead(head);
      const { outputs, ...rest } = await runtime.predict(ref, tensors, { ...asked, signal });
      response.writeHead(200, { 'content-type': tensorFrameType });
      response.end(encodeTensorFrame({ head: rest, tensors: outputs }));
    }),
    'POST /runtime/generate': guarded(async (request, response, signal) => {
      const body = await readJson(request, maxRequestBytes);
      const { ref, generation, options: asked } = parseGenerateRequest(body);
      for await (const event of runtime.generate(ref, generation, { ...asked, signal })) {
        if (!response.headersSent)
          response.writeHead(200, { 'content-type': 'application/x-ndjson' });
        if (!response.write(`${JSON.stringify(event)}\n`))
          await once(response, 'drain', { signal });
      }
      response.end();
    }),
    'GET /runtime/models': guarded(async (request, response) => {
      const { searchParams } = new URL(request.url ?? '/', 'http://runtime');
      json(response, 200, await runtime.models(searchParams.get('tenant') ?? undefined));
    }),
  };
}

async function readJson(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  try {
    return JSON.parse((await readBody(request, maxBytes)).toString('utf8'));
  } catch (reason) {
    if (reason instanceof SyntaxError) return undefined;
    throw reason;
  }
}

function checkToken({ headers }: IncomingMessage, token: string | undefined): void {
  if (token === undefined) return;
  const given = headers.authorization ?? '';
  // Digests are of equal length, and comparing them takes the same time whatever was given.
  const digest = (text: string) => createHash('sha256').update(text).digest();
  if (!timingSafeEqual(digest(given), digest(`Bearer ${token}`))) throw unauthenticated({});
}

function wireError(reason: unknown, logger: Logger) {
  const { kind, message, details } = maskError(reason, logger);
  return { ...kind, message, details };
}

function retryAfter({ retryAfterMs }: Readonly<Record<string, unknown>>): Record<string, string> {
  if (typeof retryAfterMs !== 'number') return {};
  return { 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) };
}
