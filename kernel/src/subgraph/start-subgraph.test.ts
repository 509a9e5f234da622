import { once } from 'node:events';
import { createClient } from 'graphql-ws';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import {
  CONTEXT_HEADER,
  contextSigner,
  contextVerifier,
  newSigningKeys,
  type Viewer,
} from '../auth/index.ts';
import { systemClock } from '../clock/index.ts';
import { notFound } from '../errors/index.ts';
import { serve } from '../http/index.ts';
import { createLogger } from '../log/index.ts';
import { createMetrics } from '../metrics/index.ts';
import { AsyncQueue } from '../resilience/index.ts';
import { type CallInfo, type GraphRequest, type GraphResult, startSubgraph } from './index.ts';

const ada: Viewer = {
  id: 'ada',
  tenant: 'acme',
  name: 'Ada',
  kind: 'USER',
  roles: new Set(['MODEL_USER']),
  scopes: new Set(),
};

const typeDefs = `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key"])
  type Query { me: String!  missing: String  broken: String  never: String  twice(n: Int!): Int!  loop: Node }
  type Node { next: Node }
  type Thing @key(fields: "id") { id: ID!  tenant: String! }
  type Subscription { ticks: Int! }
`;

test('answers the caller whose signed context it was given', async () => {
  await using subgraph = await start();

  const result = await subgraph.ask({
    query: 'query($n: Int!) { me twice(n: $n) }',
    variables: { n: 2 },
  });

  expect(result).toEqual({ data: { me: 'ada of acme', twice: 4 } });
});

test('resolves entities for the router', async () => {
  await using subgraph = await start();

  const result = await subgraph.ask({
    query:
      '{ _entities(representations: [{__typename: "Thing", id: "1"}]) { ... on Thing { id tenant } } }',
  });

  expect(result).toEqual({ data: { _entities: [{ id: '1', tenant: 'acme' }] } });
});

test.for([
  ['none', async () => ({})],
  ['nonsense', async () => ({ [CONTEXT_HEADER]: 'a.b.c' })],
  ['one for another subgraph', (mint: Mint) => headersFor(mint, 'opea:other')],
] as const)(
  'refuses a caller with %s context, in this process and over HTTP',
  async ([, headersOf]) => {
    await using subgraph = await start();
    const headers = await headersOf(subgraph.mint);

    const inside = await subgraph.endpoint.execute(
      { query: '{ me }' },
      { headers, signal: never() },
    );
    const outside = await post(subgraph.url, { query: '{ me }' }, headers);

    expect(inside.errors?.[0]?.extensions).toEqual({ code: 'UNAUTHENTICATED' });
    expect(await outside.json()).toEqual({ errors: inside.errors });
    expect(outside.status).toBe(401);
  },
);

test('an error of the catalogue keeps its code; anything else is masked and logged once', async () => {
  await using subgraph = await start();

  const { data, errors } = await subgraph.ask({ query: '{ missing broken }' });

  expect(data).toEqual({ missing: null, broken: null });
  expect(errors?.[0]).toEqual({
    message: 'There is no such model.',
    path: ['missing'],
    extensions: { code: 'NOT_FOUND', details: { kind: 'model' } },
  });
  expect(errors?.[1]?.extensions?.['code']).toBe('INTERNAL_ERROR');
  expect(JSON.stringify(errors)).not.toContain('password');
  expect(subgraph.logged().filter((line) => line.includes('password'))).toHaveLength(1);
});

test('what is wrong with a document or its variables is the caller’s mistake', async () => {
  await using subgraph = await start();

  const codes = await Promise.all(
    [
      { query: '{ nonsense }' },
      { query: '{' },
      { query: 'query($n: Int!) { twice(n: $n) }', variables: { n: 'x' } },
      { query: `{ loop ${'{ next '.repeat(21)} { __typename } ${'}'.repeat(21)} }` },
    ].map(async (request) => (await subgraph.ask(request)).errors?.[0]?.extensions?.['code']),
  );

  expect(codes).toEqual(Array(4).fill('BAD_USER_INPUT'));
});

test('a caller that gives up has its answer at once, and the resolver is told', async () => {
  await using subgraph = await start();
  const aborter = new AbortController();

  const asked = subgraph.ask({ query: '{ never }' }, aborter.signal);
  await subgraph.waiting;
  aborter.abort();

  expect((await asked).errors?.[0]?.extensions?.['code']).toBe('CANCELLED');
});

test('a resolver that takes longer than the subgraph allows is cut off', async () => {
  await using subgraph = await start({ timeoutMs: 20 });

  const result = await subgraph.ask({ query: '{ never }' });

  expect(result.errors?.[0]?.extensions?.['code']).toBe('DEADLINE_EXCEEDED');
});

test('events reach a subscriber in this process, in order, until it leaves', async () => {
  await using subgraph = await start();
  const call = { headers: await headersFor(subgraph.mint), signal: never() };
  const seen: GraphResult[] = [];

  for await (const result of await subgraph.endpoint.subscribe(
    { query: 'subscription { ticks }' },
    call,
  )) {
    seen.push(result);
    if (seen.length === 2) break;
  }

  expect(seen).toEqual([{ data: { ticks: 0 } }, { data: { ticks: 1 } }]);
  await subgraph.stoppedTicking;
});

test('events reach a subscriber over a WebSocket; unsubscribing stops the source', async () => {
  await using subgraph = await start();
  const client = createClient({
    url: `${subgraph.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: await headersFor(subgraph.mint),
  });

  const results = client.iterate({ query: 'subscription { ticks }' });
  expect(await results.next()).toEqual({ done: false, value: { data: { ticks: 0 } } });
  await results.return?.();

  await subgraph.stoppedTicking;
  await client.dispose();
});

test('a socket without a context gets one error and no event', async () => {
  await using subgraph = await start();
  const client = createClient({
    url: `${subgraph.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
  });

  const results = client.iterate({ query: 'subscription { ticks }' });

  expect((await results.next()).value?.errors?.[0]?.extensions?.['code']).toBe('UNAUTHENTICATED');
  await client.dispose();
});

test('only its own paths answer; health and metrics need no context', async () => {
  await using subgraph = await start();

  expect((await fetch(`${subgraph.url}/health/live`)).status).toBe(200);
  expect((await fetch(`${subgraph.url}/health/ready`)).status).toBe(503);
  await subgraph.ask({ query: '{ me }' });
  expect(await (await fetch(`${subgraph.url}/metrics`)).text()).toContain(
    'opea_subgraph_operation_seconds_count{subgraph="demo",outcome="ok"} 1',
  );
  expect((await fetch(`${subgraph.url}/graphql?query={me}`)).status).toBe(405);
  expect((await fetch(`${subgraph.url}/nowhere`)).status).toBe(404);
  const big = await post(subgraph.url, {
    query: '{ me }',
    variables: { x: 'x'.repeat(2_000_000) },
  });
  expect(big.status).toBe(413);
});

type Mint = (viewer: Viewer, audience: string) => Promise<string>;

const never = () => new AbortController().signal;

async function headersFor(mint: Mint, audience = 'opea:demo') {
  return { [CONTEXT_HEADER]: await mint(ada, audience) };
}

const post = (url: string, body: GraphRequest, headers: Record<string, string> = {}) =>
  fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json',
      ...headers,
    },
    body: JSON.stringify(body),
  });

async function start({ timeoutMs = 5_000 } = {}) {
  const { privateKey, publicKey } = await newSigningKeys();
  const signer = contextSigner({ privateKey, clock: systemClock });
  const lines: string[] = [];
  const waiting = deferred();
  const stopped = deferred();
  const subgraph = startSubgraph<{ viewer: Viewer; request: CallInfo }>({
    name: 'demo',
    typeDefs,
    timeoutMs,
    verifier: contextVerifier({ publicKey, audience: 'opea:demo', clock: systemClock }),
    logger: createLogger({
      service: 'demo',
      destination: { write: (line: string) => void lines.push(line) },
    }),
    metrics: createMetrics(),
    ready: async () => [{ name: 'store', ok: false }],
    context: ({ viewer, request }) => ({ viewer, request }),
    resolvers: {
      Query: {
        me: (_: unknown, _args: unknown, { viewer }: { viewer: Viewer }) =>
          `${viewer.id} of ${viewer.tenant}`,
        twice: (_: unknown, { n }: { n: number }) => 2 * n,
        missing: () => {
          throw notFound({ kind: 'model' });
        },
        broken: () => {
          throw new Error('connect failed: password hunter2');
        },
        never: async (_: unknown, _args: unknown, { request }: { request: CallInfo }) => {
          waiting.resolve();
          await once(request.signal, 'abort');
        },
      },
      Thing: {
        __resolveReference: ({ id }: { id: string }, { viewer }: { viewer: Viewer }) => ({
          id,
          tenant: viewer.tenant,
        }),
      },
      Subscription: {
        ticks: {
          async *subscribe(_: unknown, _args: unknown, { request }: { request: CallInfo }) {
            const queue = new AsyncQueue<number>(10);
            request.signal.addEventListener('abort', () => queue.close());
            for (const n of [0, 1, 2]) queue.push(n);
            try {
              for await (const ticks of queue) yield { ticks };
            } finally {
              stopped.resolve();
            }
          },
        },
      },
    },
  });
  const service = await serve(subgraph.listener, { port: 0, onUpgrade: subgraph.onUpgrade });

  return {
    ...subgraph,
    url: service.url,
    mint: signer.mint.bind(signer),
    waiting: waiting.promise,
    stoppedTicking: stopped.promise,
    logged: () => lines,
    ask: async (request: GraphRequest, signal = never()) =>
      subgraph.endpoint.execute(request, { headers: await headersFor(signer.mint), signal }),
    async [Symbol.asyncDispose]() {
      await subgraph[Symbol.asyncDispose]();
      await service[Symbol.asyncDispose]();
    },
  };
}

function deferred() {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve: () => resolve() };
}
