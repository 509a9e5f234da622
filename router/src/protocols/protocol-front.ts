import type { Clock } from '@opea/kernel/clock';
import { maskError, type PlatformError } from '@opea/kernel/errors';
import { matchPath, type RouteParams } from '@opea/kernel/http';
import type { Logger } from '@opea/kernel/log';
import { answers } from '../errors.ts';
import type { Admit } from '../front/admission.ts';
import { type Exchange, refusalHeaders } from '../front/exchange.ts';
import type { Operations } from '../front/operations.ts';
import type { Sessions } from '../front/sessions.ts';
import type { Traffic } from '../front/traffic.ts';
import type { GuardPolicy } from '../guards/policy.ts';
import { anonymous, type Caller } from '../identity/caller.ts';
import { credentialOf } from '../identity/credentials.ts';
import type { Identity } from '../identity/identity.ts';
import type { Protocol, ProtocolRoute } from './protocol.ts';
import { type CallRecord, protocolCall } from './protocol-call.ts';
import { sendReply } from './send-reply.ts';

export interface ProtocolFrontOptions {
  readonly protocols: readonly Protocol[];
  readonly identity: Identity;
  readonly policy: GuardPolicy;
  readonly admit: Admit;
  readonly operations: Operations;
  readonly sessions: Sessions;
  readonly traffic: Traffic;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly stallMs: number;
  /** Longest answer in bytes. */
  readonly answerBytes: number;
  /** How long a request without a stream may take. */
  readonly timeoutMs: number;
  readonly allowAnonymous: boolean;
}

export interface ProtocolFront {
  /** Whether the path is one protocol's, also when it leads nowhere there. */
  owns(path: string): boolean;
  /** Serves a request at a path that it owns. Never rejects. */
  handle(exchange: Exchange, path: string): Promise<void>;
}

/**
 * Serves other protocols over the same graph: callers are identified, admitted, limited, counted and logged exactly
 * as those who send GraphQL, because what a route sends on is an operation of the graph.
 */
export function protocolFront(options: ProtocolFrontOptions): ProtocolFront {
  const { protocols, identity, policy, traffic, logger, allowAnonymous } = options;
  const ownerOf = (path: string) =>
    protocols.find(({ prefix }) => path === prefix || path.startsWith(`${prefix}/`));

  return {
    owns: (path) => ownerOf(path) !== undefined,
    async handle(exchange, path) {
      const protocol = ownerOf(path);
      if (protocol === undefined) return;
      const { request } = exchange;
      const record: CallRecord = { admitted: undefined, answers: 0 };
      let caller: Caller = anonymous;
      let refused: PlatformError | undefined;
      try {
        if (request.rawHeaders.length / 2 > policy.limits.headers) policy.demand(['HEADERS']);
        const { route, params } = routeOf(protocol, request.method, path);
        if (route.open !== true) {
          caller = await identity.identify(credentialOf(request));
          if (caller.kind === 'anonymous' && !allowAnonymous) throw answers.UNAUTHENTICATED();
        }
        await route.handle(
          protocolCall({ ...options, protocol, exchange, caller, params, record }),
        );
      } catch (error) {
        refused = maskError(error, logger);
        refuse(exchange, protocol, refused);
      }
      const { admitted } = record;
      traffic.operation({
        transport: protocol.name,
        type: admitted?.operation.operation ?? 'unknown',
        operation: admitted?.operationName,
        document: admitted?.known.hash,
        caller,
        status: exchange.response.headersSent
          ? exchange.response.statusCode
          : (refused?.kind.status ?? 200),
        code: refused?.kind.code,
        startedAt: exchange.startedAt,
        answers: record.answers,
      });
    },
  };
}

function routeOf(
  { routes }: Protocol,
  method: string | undefined,
  path: string,
): { readonly route: ProtocolRoute; readonly params: RouteParams } {
  const asked = method === 'HEAD' ? 'GET' : method;
  const segments = path.split('/');
  let isKnown = false;
  for (const [key, route] of Object.entries(routes)) {
    const [ofRoute, pattern = ''] = key.split(' ');
    const params = matchPath(pattern.split('/'), segments);
    if (params === undefined) continue;
    if (ofRoute === asked) return { route, params };
    isKnown = true;
  }
  throw isKnown ? answers.METHOD_NOT_ALLOWED() : answers.NOT_FOUND();
}

/** Says no in the protocol's own form, or, in the middle of a stream, as its last event. */
function refuse(exchange: Exchange, protocol: Protocol, error: PlatformError): void {
  const { response } = exchange;
  const body = protocol.refusal(error);
  if (!response.headersSent) {
    const { status } = error.kind;
    sendReply(exchange, {
      status,
      body,
      headers: {
        // Clients that try again by themselves should not do it at once.
        ...((status === 429 || status === 503) && { 'retry-after': '1' }),
        ...refusalHeaders(exchange, status, error),
      },
    });
  } else if (!response.writableEnded) response.end(`data: ${JSON.stringify(body)}\n\n`);
}
