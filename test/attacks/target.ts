import {
  contextSigner,
  contextVerifier,
  newSigningKeys,
  type Role,
  type SigningKeys,
  type Viewer,
} from '@opea/kernel/auth';
import { memoryCache } from '@opea/kernel/cache';
import { after, systemClock } from '@opea/kernel/clock';
import { unauthenticated } from '@opea/kernel/errors';
import { serve } from '@opea/kernel/http';
import { createLogger } from '@opea/kernel/log';
import { createMetrics } from '@opea/kernel/metrics';
import { type ResolverMap, type Subgraph, startSubgraph } from '@opea/kernel/subgraph';
import { defaultConfig, type RouterConfig, startRouter } from '@opea/router';
import { subgraphSdl, supergraphSdl } from '@opea/schema/sdl';
import { type CryptoKey, SignJWT } from 'jose';

/** What the attacks are run against: a router over the platform's graph, on a free port. */
export interface Target extends AsyncDisposable {
  readonly url: string;
  readonly graphUrl: string;
  readonly socketUrl: string;
  readonly key: string;
  readonly signing: SigningKeys;
  /** Everything the router and its subgraphs logged. */
  readonly logLines: readonly string[];
  /** How often the keys that verify tokens were asked for. */
  jwksFetches(): number;
  /** The key stops being live, and is live again. */
  revoke(): void;
  restore(): void;
  token(options?: TokenOptions): Promise<string>;
}

export interface TokenOptions {
  readonly header?: object;
  readonly claims?: object;
  readonly key?: CryptoKey;
  readonly expiresInMs?: number;
}

const ada: Viewer = {
  id: 'prn_ada',
  tenant: 'tnt_demo',
  name: 'ada',
  kind: 'USER',
  roles: new Set<Role>(['MODEL_USER']),
  scopes: new Set(),
};

/** `unprotected` is the twin: the same router with its guards off, which shows that the attacks are real. */
export async function startTarget(options: { readonly unprotected: boolean }): Promise<Target> {
  const clock = systemClock;
  const logLines: string[] = [];
  const logger = createLogger({
    service: 'router',
    destination: { write: (line: string) => logLines.push(line) },
  });
  const metrics = createMetrics();
  const contextKeys = await newSigningKeys();
  const tokenKeys = await newSigningKeys();
  const key = `opea_test_${'k'.repeat(49)}`;
  let revoked = false;
  let jwksFetches = 0;
  const subgraphs = Object.entries(subgraphSdl).map(([name, sdl]) =>
    startSubgraph({
      name,
      typeDefs: sdl,
      resolvers: resolvers[name] ?? {},
      context: ({ viewer }) => ({ viewer }),
      verifier: contextVerifier({
        publicKey: contextKeys.publicKey,
        audience: `opea:${name}`,
        clock,
      }),
      logger,
      metrics,
    }),
  );
  const config: Partial<RouterConfig> = options.unprotected
    ? { guardMode: 'off', introspection: 'everybody', allowAnonymous: true, explorer: true }
    : {};
  const router = await startRouter({
    supergraph: { sdl: supergraphSdl },
    sources: Object.fromEntries(subgraphs.map(({ name, endpoint }) => [name, endpoint])),
    identity: {
      exchange: (secret) =>
        secret === key && !revoked
          ? Promise.resolve({ token: '', viewer: ada, expiresAt: after(clock(), 300_000) })
          : Promise.reject(unauthenticated({})),
      jwks: () => {
        jwksFetches += 1;
        return Promise.resolve({ keys: [tokenKeys.jwk] });
      },
    },
    signer: contextSigner({ privateKey: contextKeys.privateKey, clock }),
    cache: memoryCache(),
    clock,
    logger,
    metrics,
    config: {
      ...config,
      rates: { models: 5_000, inference: 5_000, data: 20, platform: 5_000 },
      limits: { ...defaultConfig.limits, bodyMs: 1_500 },
    },
  });
  const service = await serve(router.listener, {
    port: 0,
    onUpgrade: router.onUpgrade,
    drainMs: 200,
    headersTimeoutMs: 2_000,
  });
  const graphUrl = `${service.url}/graphql`;

  return {
    url: service.url,
    graphUrl,
    socketUrl: graphUrl.replace(/^http/, 'ws'),
    key,
    signing: tokenKeys,
    logLines,
    jwksFetches: () => jwksFetches,
    revoke: () => {
      revoked = true;
    },
    restore: () => {
      revoked = false;
    },
    token: ({ header = {}, claims = {}, key: by, expiresInMs = 60_000 } = {}) => {
      const seconds = Math.floor(clock().getTime() / 1000);
      const payload = {
        tenant: ada.tenant,
        name: ada.name,
        kind: ada.kind,
        roles: [...ada.roles],
        scopes: [],
        sub: ada.id,
        iss: 'opea:auth',
        aud: 'opea',
        iat: seconds,
        jti: 'tok_1',
        exp: (clock().getTime() + expiresInMs) / 1000,
        ...claims,
      };
      return new SignJWT(payload)
        .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: tokenKeys.kid, ...header })
        .sign(by ?? tokenKeys.privateKey);
    },
    async [Symbol.asyncDispose]() {
      await router[Symbol.asyncDispose]();
      await service[Symbol.asyncDispose]();
      for (const subgraph of subgraphs) await dispose(subgraph);
    },
  };
}

const dispose = (subgraph: Subgraph) => subgraph[Symbol.asyncDispose]();

const at = '2026-01-01T00:00:00.000Z';
const model = (name: string) => ({
  id: `mdl_${name}`,
  name,
  description: '<img src=x onerror=alert(1)>',
  createdAt: at,
  owner: { __typename: 'Principal', id: 'prn_ada' },
  aliases: [],
});
const principal = {
  id: 'prn_ada',
  name: 'ada',
  kind: 'USER',
  roles: ['MODEL_USER'],
  createdAt: at,
};

/** Just enough of a platform to answer: what the attacks ask for exists. */
const resolvers: Readonly<Record<string, ResolverMap>> = {
  auth: {
    Query: { me: () => principal, tenant: () => ({ id: 'tnt_demo', name: 'demo' }) },
    Principal: { __resolveReference: () => principal },
  },
  feature: {
    Query: {
      featureViews: () => ({ edges: [], pageInfo: { hasNextPage: false, hasPreviousPage: false } }),
    },
  },
  registry: {
    Query: {
      model: (_: unknown, { name }: { name: string }) =>
        name === 'storyteller' ? model(name) : null,
      models: (_: unknown, { first }: { first: number }) => ({
        edges: Array.from({ length: Math.min(first, 100) }, (__, index) => ({
          cursor: String(index),
          node: model(`model-${index}`),
        })),
        pageInfo: { hasNextPage: false, hasPreviousPage: false },
      }),
    },
    Subscription: {
      registryEvents: {
        async *subscribe() {
          yield {
            registryEvents: {
              id: 'evt_1',
              type: 'registry.model-registered.v1',
              at,
              cursor: '1',
              data: {},
            },
          };
          await new Promise(() => undefined);
        },
      },
    },
  },
};
