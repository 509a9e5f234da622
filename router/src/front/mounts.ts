import { Agent, request as call, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { CONTEXT_HEADER, type ContextSigner } from '@opea/kernel/auth';
import { maskError } from '@opea/kernel/errors';
import type { Logger } from '@opea/kernel/log';
import { answers } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import { credentialOf } from '../identity/credentials.ts';
import type { Identity } from '../identity/identity.ts';
import { type Exchange, sendRefusal } from './exchange.ts';

export type MountListener = (request: IncomingMessage, response: ServerResponse) => void;

/** A part of another service's HTTP that clients reach through the router. */
export interface Mount {
  /** `/artifacts`: this path and everything below it. */
  readonly prefix: string;
  /** In this process, or the root of a service elsewhere. */
  readonly target: MountListener | URL;
  /** For whom the signed context is made; by default the subgraph that owns the known prefixes. */
  readonly audience?: string;
  /** Whether requests without a credential pass, without a context. Default: only to `/auth`. */
  readonly allowAnonymous?: boolean;
}

export interface Mounts {
  /** Serves the request, or says false when no mount has its path. */
  handle(exchange: Exchange): boolean;
}

const knownAudiences: Readonly<Record<string, string>> = {
  '/artifacts': 'opea:registry',
  '/auth': 'opea:auth',
};
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
]);

export function mountTable(options: {
  readonly mounts: readonly Mount[];
  readonly identity: Identity;
  readonly signer: ContextSigner;
  readonly logger: Logger;
}): Mounts {
  const { mounts, identity, signer, logger } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });

  return {
    handle(exchange) {
      const path = (exchange.request.url ?? '/').split('?', 1)[0] ?? '/';
      const mount = mounts.find(({ prefix }) => path === prefix || path.startsWith(`${prefix}/`));
      if (mount === undefined) return false;
      void pass(exchange, mount).catch((error: unknown) => {
        const { response } = exchange;
        const shown = maskError(error, logger);
        if (response.headersSent) response.destroy();
        else sendRefusal(exchange, 'json', shown);
      });
      return true;
    },
  };

  async function pass(exchange: Exchange, mount: Mount): Promise<void> {
    const { request, response, correlationId } = exchange;
    // Nobody outside may bring a context: it is what the services believe.
    delete request.headers[CONTEXT_HEADER];
    request.headers['x-correlation-id'] = correlationId;
    const caller = await identity.identify(credentialOf(request));
    if (caller.kind !== 'anonymous') {
      delete request.headers.authorization;
      delete request.headers['x-api-key'];
      request.headers[CONTEXT_HEADER] = await contextFor(caller, mount);
    } else if (!(mount.allowAnonymous ?? mount.prefix === '/auth')) throw answers.UNAUTHENTICATED();
    if (mount.target instanceof URL) await forward(mount.target, request, response);
    else mount.target(request, response);
  }

  function contextFor(
    caller: Exclude<Caller, { kind: 'anonymous' }>,
    { prefix, audience }: Mount,
  ): Promise<string> {
    const known = audience ?? knownAudiences[prefix] ?? `opea:${prefix.slice(1)}`;
    return signer.mint(caller.viewer, known);
  }

  async function forward(
    target: URL,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const headers = Object.fromEntries(
      Object.entries(request.headers).filter(([name]) => !hopByHop.has(name) && name !== 'host'),
    );
    const url = new URL(request.url ?? '/', target);
    if (url.host !== target.host) throw answers.NOT_FOUND();
    const upstream = call(url, { method: request.method, headers, agent });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      upstream.once('response', resolve).once('error', (error) => {
        reject(answers.UNAVAILABLE({}, error));
      });
    });
    response.once('close', () => upstream.destroy());
    const sent = pipeline(request, upstream).catch(() => undefined);
    const reply = await answered;
    const replyHeaders = Object.entries(reply.headers).filter(([name]) => !hopByHop.has(name));
    response.writeHead(reply.statusCode ?? 502, Object.fromEntries(replyHeaders));
    await pipeline(reply, response).catch(() => response.destroy());
    await sent;
  }
}
