import { contextSigner, newSigningKeys, type SigningKeys, type Viewer } from '@opea/kernel/auth';
import { memoryCache } from '@opea/kernel/cache';
import { after, type Clock, systemClock } from '@opea/kernel/clock';
import { unauthenticated } from '@opea/kernel/errors';
import { serve } from '@opea/kernel/http';
import { type Logger, silentLogger } from '@opea/kernel/log';
import { createMetrics, type Metrics } from '@opea/kernel/metrics';
import { SignJWT } from 'jose';
import type { RouterConfig } from '../config.ts';
import type { Graph } from '../graph.ts';
import { type RouterDependencies, startRouter } from '../router.ts';
import { localGraph, type Resolver } from './local-graph.ts';

/** A router on a free port over a local graph, with keys and tokens to call it. */
export interface TestRouter extends AsyncDisposable {
  readonly url: string;
  readonly graphUrl: string;
  readonly socketUrl: string;
  readonly key: string;
  readonly keys: SigningKeys;
  readonly metrics: Metrics;
  readonly viewer: Viewer;
  readonly revoked: Set<string>;
  token(options?: { readonly expiresInMs?: number; readonly claims?: object }): Promise<string>;
  /** Posts an operation with the key unless headers say otherwise. */
  ask(body: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
}

export const viewer: Viewer = {
  id: 'prn_ada',
  tenant: 'demo',
  name: 'ada',
  kind: 'USER',
  roles: new Set(['MODEL_USER']),
  scopes: new Set(),
};

const defaultSdl = `
  type Query { hello(name: String): String  thing(id: ID): Thing  things(first: Int = 20): ThingConnection!  echo(input: JSON): JSON  fail: String  slow: String  color(of: Color): Color }
  type ThingConnection { edges: [ThingEdge!]! }
  type ThingEdge { cursor: String!  node: Thing! }
  type Thing { id: ID!  name: String  parent: Thing  things(first: Int = 20): ThingConnection! }
  enum Color { RED GREEN BLUE }
  scalar JSON
  type Mutation { rename(name: String!): String }
  type Subscription { count(to: Int!): Int  forever: Int }
`;

export interface TestRouterOptions {
  readonly sdl?: string;
  readonly resolvers?: Readonly<Record<string, Resolver>>;
  readonly graph?: Graph;
  readonly config?: Partial<RouterConfig>;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly deps?: Partial<RouterDependencies>;
}

export async function startTestRouter(options: TestRouterOptions = {}): Promise<TestRouter> {
  const { clock = systemClock, config = {}, logger = silentLogger } = options;
  const signing = await newSigningKeys();
  const keys = await newSigningKeys();
  const metrics = createMetrics();
  const key = `opea_test_${'k'.repeat(32)}`;
  const revoked = new Set<string>();
  const graph =
    options.graph ??
    localGraph({
      sdl: options.sdl ?? defaultSdl,
      resolvers: options.resolvers ?? defaultResolvers,
    });

  const router = await startRouter({
    supergraph: { sdl: options.sdl ?? defaultSdl },
    sources: {},
    graph,
    identity: {
      exchange: (secret) =>
        secret === key && !revoked.has(secret)
          ? Promise.resolve({ token: '', viewer, expiresAt: after(clock(), 300_000) })
          : Promise.reject(unauthenticated({})),
      jwks: () => Promise.resolve({ keys: [keys.jwk] }),
    },
    signer: contextSigner({ privateKey: signing.privateKey, clock }),
    cache: memoryCache(),
    clock,
    logger,
    metrics,
    config,
    ...options.deps,
  });
  const service = await serve(router.listener, {
    port: 0,
    onUpgrade: router.onUpgrade,
    drainMs: 200,
  });
  const graphUrl = `${service.url}/graphql`;

  return {
    url: service.url,
    graphUrl,
    socketUrl: graphUrl.replace(/^http/, 'ws'),
    key,
    keys,
    metrics,
    viewer,
    revoked,
    token({ expiresInMs = 60_000, claims = {} } = {}) {
      const now = Math.floor(clock().getTime() / 1000);
      const { tenant, name, kind } = viewer;
      return new SignJWT({ tenant, name, kind, roles: [...viewer.roles], scopes: [], ...claims })
        .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: keys.kid })
        .setSubject(viewer.id)
        .setIssuer('opea:auth')
        .setAudience('opea')
        .setIssuedAt(now)
        .setJti('tok_1')
        .setExpirationTime((clock().getTime() + expiresInMs) / 1000)
        .sign(keys.privateKey);
    },
    ask: (body, headers) =>
      fetch(graphUrl, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/graphql-response+json',
          ...(headers ?? { authorization: `Bearer ${key}` }),
        },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    async [Symbol.asyncDispose]() {
      await router[Symbol.asyncDispose]();
      await service[Symbol.asyncDispose]();
    },
  };
}

const thing = (id: string): object => ({ id, name: `thing ${id}`, parent: () => thing(id) });

const defaultResolvers: Readonly<Record<string, Resolver>> = {
  hello: ({ name }) => `hello ${typeof name === 'string' ? name : 'world'}`,
  thing: ({ id }) => thing(String(id)),
  things: ({ first }) => ({
    edges: Array.from({ length: Math.min(Number(first), 100) }, (_, at) => ({
      cursor: String(at),
      node: thing(String(at)),
    })),
  }),
  echo: ({ input }) => input,
  rename: ({ name }) => name,
  color: ({ of }) => of,
  count: async function* ({ to }) {
    for (let at = 1; at <= Number(to); at += 1) yield { count: at };
  },
};
