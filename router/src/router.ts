import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ContextSigner } from '@opea/kernel/auth';
import type { Bus } from '@opea/kernel/bus';
import type { Cache } from '@opea/kernel/cache';
import type { Clock } from '@opea/kernel/clock';
import { cancelled } from '@opea/kernel/errors';
import { type Check, healthRoutes } from '@opea/kernel/health';
import { type RouteTable, routes, type UpgradeListener } from '@opea/kernel/http';
import { newId } from '@opea/kernel/ids';
import { openStack, type Stack } from '@opea/kernel/lifecycle';
import { type Logger, withLogContext } from '@opea/kernel/log';
import { type Metrics, metricsContentType, metricsText } from '@opea/kernel/metrics';
import type { SubgraphEndpoint } from '@opea/kernel/subgraph';
import { extractContext, openSpan } from '@opea/kernel/telemetry';
import { defaultConfig, type RouterConfig } from './config.ts';
import { answers } from './errors.ts';
import { createGraph } from './execution/create-graph.ts';
import { explorerRoutes } from './explorer/explorer.ts';
import { admission } from './front/admission.ts';
import { type Exchange, sendRefusal } from './front/exchange.ts';
import { httpFront } from './front/http-front.ts';
import { type Mount, mountTable } from './front/mounts.ts';
import { operations } from './front/operations.ts';
import { originPolicy } from './front/origins.ts';
import { rateLimiter } from './front/rate-limits.ts';
import { startSessions } from './front/sessions.ts';
import { singleConnections } from './front/single-connection.ts';
import { socketFront } from './front/socket-front.ts';
import { trafficRecorder } from './front/traffic.ts';
import type { Graph } from './graph.ts';
import { demandHints } from './guards/demand.ts';
import { guardPolicy } from './guards/policy.ts';
import { startIdentity } from './identity/identity.ts';
import type { IdentityProvider } from './identity/provider.ts';
import { followRevocations } from './identity/revocations.ts';
import { oip } from './protocols/oip/oip.ts';
import { openai } from './protocols/openai/openai.ts';
import { protocolFront } from './protocols/protocol-front.ts';
import { remoteSource } from './sources/remote-source.ts';

export { configFrom, defaultConfig, type RouterConfig, readConfig, routerShape } from './config.ts';
export type { Mount } from './front/mounts.ts';
export type { Graph, GraphAnswer, GraphOperation } from './graph.ts';
export type { ExchangedKey, IdentityProvider } from './identity/provider.ts';

export interface RouterDependencies {
  /** The composed graph, or the file that holds it. */
  readonly supergraph: { readonly sdl: string } | { readonly file: string };
  /** Where each subgraph is, by its name in the supergraph. */
  readonly sources: Readonly<Record<string, SubgraphEndpoint | { readonly url: string }>>;
  readonly identity: IdentityProvider;
  readonly signer: ContextSigner;
  /** Brings revocations within moments; without it keys are asked about every few seconds. */
  readonly bus?: Bus;
  /** Holds the counts of the rate limits: shared between router processes. */
  readonly cache: Cache;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly config?: Partial<RouterConfig>;
  readonly mounts?: readonly Mount[];
  readonly extraRoutes?: RouteTable;
  /** Answers instead of the federated engine over `sources`. */
  readonly graph?: Graph;
  readonly ready?: () => Promise<readonly Check[]>;
}

/** A router that listens nowhere by itself: hand `listener` and `onUpgrade` to `serve`. */
export interface Router extends AsyncDisposable {
  readonly listener: (request: IncomingMessage, response: ServerResponse) => void;
  readonly onUpgrade: UpgradeListener;
}

export const graphPath = '/graphql';
/** Without the bus a revoked key has to be noticed by asking. */
const recheckWithoutBusMs = 3_000;

/**
 * The platform's door: one graph over HTTP, WebSocket, event streams and multipart, and the same graph for clients
 * that speak the Open Inference Protocol or the OpenAI API.
 */
export async function startRouter(deps: RouterDependencies): Promise<Router> {
  const { bus, cache, clock, logger, metrics, signer } = deps;
  const config: RouterConfig = { ...defaultConfig, ...deps.config };
  const stack = openStack();
  const sdl =
    'sdl' in deps.supergraph ? deps.supergraph.sdl : await readFile(deps.supergraph.file, 'utf8');
  const graph = stack.use(
    deps.graph ??
      createGraph({ supergraphSdl: sdl, sources: endpoints(deps.sources, stack), logger, metrics }),
  );

  const traffic = trafficRecorder(metrics, logger);
  const policy = guardPolicy({
    limits: config.limits,
    mode: config.guardMode,
    modes: config.guardModes,
    onViolation: (name, mode) => traffic.violation(name, mode),
  });
  const keyCacheMs =
    bus === undefined ? Math.min(config.keyCacheMs, recheckWithoutBusMs) : config.keyCacheMs;
  const identity = startIdentity({
    provider: deps.identity,
    clock,
    issuer: config.tokenIssuer,
    audience: config.tokenAudience,
    algorithms: config.tokenAlgorithms,
    keyCacheMs,
  });
  const sessions = stack.use(
    startSessions({
      clock,
      heartbeatMs: config.heartbeatMs,
      recheck: (caller) => identity.recheck(caller),
      recheckMs: keyCacheMs,
      perPrincipal: config.socketsPerPrincipal,
    }),
  );
  if (bus !== undefined) {
    const onChange = (principalId: string) => {
      identity.forget(principalId);
      sessions.endAllOf(principalId);
    };
    stack.use(followRevocations({ bus, logger, onChange }));
  }

  const origins = originPolicy(config.origins);
  const rates = rateLimiter({
    cache,
    clock,
    limits: config.rates,
    onFailure: () => traffic.uncounted(),
  });
  const { introspection, allowAnonymous, answerBytes, stallMs } = config;
  const hints = demandHints(sdl);
  const admit = admission({
    schema: graph.apiSchema,
    hints,
    policy,
    rates,
    introspection,
    allowAnonymous,
  });
  const shared = {
    identity,
    policy,
    admit,
    operations: operations({ graph, signer, logger, timeoutMs: config.requestMs }),
    sessions,
    traffic,
    logger,
    stallMs,
    answerBytes,
    origins,
  };
  const serveGraph = httpFront({ ...shared, singles: singleConnections(shared) });
  const sockets = stack.use(
    socketFront({
      ...shared,
      path: graphPath,
      limits: {
        messageBytes: config.socketMessageBytes,
        initMs: config.socketInitMs,
        operationsPerSocket: config.socketOperations,
        stallMs,
        answerBytes,
      },
    }),
  );
  const ready = deps.ready ?? (() => Promise.resolve([{ name: 'graph', ok: true }]));
  const protocols = protocolFront({
    ...shared,
    protocols: [oip({ ready }), openai()],
    clock,
    allowAnonymous,
    timeoutMs: config.requestMs,
  });
  const mounts = mountTable({ mounts: deps.mounts ?? [], identity, signer, logger });
  const others = routes(
    {
      ...healthRoutes({ ready }),
      'GET /metrics': async (_request, response) => {
        response
          .writeHead(200, { 'content-type': metricsContentType })
          .end(await metricsText(metrics));
      },
      ...(config.explorer || config.explorerKey !== undefined
        ? explorerRoutes({ key: config.explorerKey, graphPath })
        : {}),
      ...deps.extraRoutes,
    },
    logger,
  );

  const answer = (exchange: Exchange, path: string): void => {
    const { request, response } = exchange;
    for (const [name, value] of Object.entries(origins.corsHeaders(request)))
      response.setHeader(name, value);
    const isProtocol = protocols.owns(path);
    if (request.method === 'OPTIONS' && (path === graphPath || isProtocol))
      response.writeHead(204).end();
    else if (path === graphPath) void serveGraph(exchange);
    else if (isProtocol) void protocols.handle(exchange, path);
    else if (!mounts.handle(exchange) && !others(request, response))
      sendRefusal(exchange, 'json', answers.NOT_FOUND());
  };

  return {
    listener(request, response) {
      const startedAt = performance.now();
      const correlationId = correlationIdOf(request);
      const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
      const life = untilClosed(response);
      const work = () => answer({ request, response, correlationId, startedAt, life }, path);
      const headers = {
        traceparent: textOf(request, 'traceparent'),
        tracestate: textOf(request, 'tracestate'),
      };
      const traced = () =>
        openSpan('router request', { correlationId, path: path.slice(0, 64) }, (end) => {
          response.once('close', end);
          work();
        });
      withLogContext({ correlationId }, () => extractContext(headers, traced));
    },
    onUpgrade: sockets.onUpgrade,
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

/** Sources in this process as they are; those elsewhere behind connections that `stack` closes. */
function endpoints(
  sources: RouterDependencies['sources'],
  stack: Stack,
): Readonly<Record<string, SubgraphEndpoint>> {
  return Object.fromEntries(
    Object.entries(sources).map(([name, source]) => [
      name,
      'url' in source ? stack.use(remoteSource({ url: source.url })) : source,
    ]),
  );
}

function untilClosed(response: ServerResponse): AbortController {
  const life = new AbortController();
  response.on('close', () => {
    if (!response.writableFinished) life.abort(cancelled({}));
  });
  return life;
}

function correlationIdOf(request: IncomingMessage): string {
  const given = textOf(request, 'x-correlation-id') ?? textOf(request, 'x-request-id');
  return given !== undefined && /^[\w.:-]{1,64}$/.test(given) ? given : newId();
}

function textOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}
