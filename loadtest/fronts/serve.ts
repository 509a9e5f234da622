import { createServer } from 'node:http';
import process from 'node:process';
import { ApolloServer, HeaderMap } from '@apollo/server';
import { contextSigner, newSigningKeys } from '@opea/kernel/auth';
import { memoryCache } from '@opea/kernel/cache';
import { systemClock } from '@opea/kernel/clock';
import { readBody, serve } from '@opea/kernel/http';
import { silentLogger } from '@opea/kernel/log';
import { createMetrics } from '@opea/kernel/metrics';
import { type Graph, startRouter } from '@opea/router';
import { buildSchema } from 'graphql';

/**
 * One front over a graph that answers at once, so that only the front is measured:
 * `serve.ts direct|apollo`. Prints its address; on `cpu` from its parent, its CPU time in ms.
 */
const sdl = 'type Query { items: [Item!]! } type Item { id: ID!  name: String!  weight: Float! }';
const items = Array.from({ length: 40 }, (_, at) => ({
  id: `${at}`,
  name: `item ${at}`,
  weight: at / 3,
}));
const apiSchema = buildSchema(sdl);
const graph: Graph = {
  apiSchema,
  execute: () => Promise.resolve({ data: { items } }),
  subscribe: () => Promise.reject(new Error('No subscriptions')),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

const url = process.argv[2] === 'apollo' ? await serveApollo() : await serveDirect();
process.send?.({ url });
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMs: (user + system) / 1000 });
});

async function serveDirect(): Promise<string> {
  const { privateKey } = await newSigningKeys();
  const router = await startRouter({
    supergraph: { sdl },
    sources: {},
    graph,
    identity: {
      exchange: () => Promise.reject(new Error('none')),
      jwks: () => Promise.resolve({ keys: [] }),
    },
    signer: contextSigner({ privateKey, clock: systemClock }),
    cache: memoryCache(),
    clock: systemClock,
    logger: silentLogger,
    metrics: createMetrics(),
    config: { allowAnonymous: true },
  });
  return (await serve(router.listener, { port: 0 })).url;
}

/** Apollo Server 5 as its integrations use it, with nothing of ours around it. */
async function serveApollo(): Promise<string> {
  const apollo = new ApolloServer({
    gateway: {
      load: () => Promise.resolve({ executor: graph.execute as never }),
      onSchemaLoadOrUpdate: (listener) => {
        listener({ apiSchema, coreSupergraphSdl: sdl });
        return () => undefined;
      },
      stop: () => Promise.resolve(),
    },
    includeStacktraceInErrorResponses: false,
  });
  await apollo.start();
  const server = createServer((request, response) => {
    void (async () => {
      const body: unknown = JSON.parse((await readBody(request, 262_144)).toString('utf8'));
      const headers = new HeaderMap();
      for (const [name, value] of Object.entries(request.headers))
        if (value !== undefined) headers.set(name, String(value));
      const answer = await apollo.executeHTTPGraphQLRequest({
        httpGraphQLRequest: { method: 'POST', headers, search: '', body },
        context: () => Promise.resolve({}),
      });
      response.writeHead(answer.status ?? 200, Object.fromEntries(answer.headers));
      response.end(answer.body.kind === 'complete' ? answer.body.string : '');
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}
