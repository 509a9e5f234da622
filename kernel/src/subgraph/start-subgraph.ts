import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse } from 'graphql';
import { healthRoutes } from '../health/index.ts';
import { json, routes } from '../http/index.ts';
import { metricsContentType, metricsText } from '../metrics/index.ts';
import { createEndpoint } from './endpoint.ts';
import { graphqlOverHttp } from './http-front.ts';
import type { Subgraph, SubgraphOptions } from './subgraph.ts';
import { graphqlOverWebSocket } from './websocket-front.ts';

/**
 * A federated subgraph that listens nowhere by itself. Every operation, also in this process, needs a signed context for
 * `opea:<name>`; without one it is UNAUTHENTICATED.
 */
export function startSubgraph<Context>(options: SubgraphOptions<Context>): Subgraph {
  const { name, typeDefs, resolvers, logger, metrics, ready = async () => [] } = options;
  const sdl = typeof typeDefs === 'string' ? typeDefs : typeDefs.join('\n');
  const schema = buildSubgraphSchema({
    typeDefs: parse(sdl),
    // The library's type asks for resolvers of any argument; ours are checked against the generated types where they are written.
    resolvers: resolvers as NonNullable<
      Extract<Parameters<typeof buildSubgraphSchema>[0], { typeDefs: unknown }>
    > extends { resolvers?: infer Resolvers }
      ? Resolvers & object
      : never,
  });
  const endpoint = createEndpoint(schema, options);
  const webSocket = graphqlOverWebSocket(schema, endpoint, options);
  const router = routes(
    {
      ...options.routes,
      ...healthRoutes({ ready }),
      'POST /graphql': graphqlOverHttp(endpoint, options),
      async 'GET /metrics'(_request, response) {
        const text = await metricsText(metrics);
        response.writeHead(200, { 'content-type': metricsContentType }).end(text);
      },
    },
    logger,
  );

  return {
    name,
    endpoint,
    sdl,
    listener(request, response) {
      if (router(request, response)) return;
      json(response, 404, { error: { code: 'NOT_FOUND', message: 'There is nothing here.' } });
    },
    onUpgrade: webSocket.onUpgrade,
    [Symbol.asyncDispose]: () => webSocket[Symbol.asyncDispose](),
  };
}
