import { ApolloGateway, LocalGraphQLDataSource } from '@apollo/gateway';
import { buildSubgraphSchema } from '@apollo/subgraph';
import type { SubgraphEndpoint } from '@opea/kernel/subgraph';
import { createGraph } from '@opea/router/engine';
import { execute, type GraphQLSchema, getOperationAST, parse } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { difference } from './compare.ts';
import { compose } from './trial.ts';

const link =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@external", "@requires"])';

const products = [
  { upc: '1', name: 'Table', price: 899, weight: 100 },
  { upc: '2', name: 'Couch', price: 1299, weight: 1000 },
];

const definitions = {
  products: `${link}
    type Query { topProducts: [Product] }
    type Product @key(fields: "upc") { upc: ID! name: String price: Int weight: Int }`,
  inventory: `${link}
    type Product @key(fields: "upc") {
      upc: ID!
      price: Int @external
      weight: Int @external
      inStock: Boolean
      shippingEstimate: Int @requires(fields: "price weight")
    }`,
};

interface Product {
  readonly upc: string;
  readonly price?: number;
  readonly weight?: number;
}

const estimate = ({ price = 0, weight = 0 }: Product) => (price > 1000 ? 0 : weight / 2);
const inStock = ({ upc }: Product) => upc === '1' || upc === '2';

const schemas: Readonly<Record<string, GraphQLSchema>> = {
  products: buildSubgraphSchema({
    typeDefs: parse(definitions.products),
    resolvers: { Query: { topProducts: () => products } },
  }),
  inventory: buildSubgraphSchema({
    typeDefs: parse(definitions.inventory),
    resolvers: {
      Product: {
        __resolveReference: (product: Product) => product,
        inStock,
        shippingEstimate: estimate,
      },
    },
  }),
};

const supergraphSdl =
  compose(Object.entries(definitions).map(([name, sdl]) => ({ name, sdl }))) ?? '';

/** Two queries that @apollo/gateway 2.14 answers wrongly without an error. */
const queries = [
  '{ topProducts { upc: name inStock } }',
  '{ topProducts { upc inStock shippingEstimate @skip(if: true) } }',
];

describe('the oracle', () => {
  const graph = createGraph({
    supergraphSdl,
    sources: Object.fromEntries(
      Object.entries(schemas).map(([name, schema]) => [name, endpointOf(schema)]),
    ),
  });
  const gateway = new ApolloGateway({
    supergraphSdl,
    buildService: ({ name }) => {
      const schema = schemas[name];
      if (!schema) throw new Error(`There is no ${name}`);
      return new LocalGraphQLDataSource(schema);
    },
  });
  let ask: (query: string) => Promise<{ data?: unknown }>;

  beforeAll(async () => {
    const { schema, executor } = await gateway.load();
    if (!executor) throw new Error('The gateway has no executor');
    ask = async (query) => {
      const document = parse(query);
      const operation = getOperationAST(document);
      return executor(
        // The parts of a request context that the gateway's executor reads.
        Object.assign(Object.create(null), {
          document,
          operation,
          schema,
          queryHash: query,
          request: { query, variables: {} },
          metrics: {},
          context: {},
          contextValue: {},
          logger: console,
          cache: { get: () => undefined, set: () => undefined },
          overallCachePolicy: { restrict: () => undefined },
        }),
      );
    };
  });

  afterAll(async () => {
    await gateway.stop();
    await graph[Symbol.asyncDispose]();
  });

  it.each(queries)('sees that @apollo/gateway is wrong about %s', async (query) => {
    expect(difference(await monolith(query), await ask(query))).toMatch(/^data/);
  });

  it.each(queries)('agrees with the router about %s', async (query) => {
    const answer = await graph.execute({
      document: parse(query),
      query,
      operationName: undefined,
      variables: {},
      headersFor: async () => ({}),
      signal: new AbortController().signal,
    });
    expect(difference(await monolith(query), answer)).toBeUndefined();
  });
});

/** One schema with all fields, over the same products. */
async function monolith(query: string) {
  return execute({
    schema: createMonolith(),
    document: parse(query),
    rootValue: { topProducts: products },
    fieldResolver: (source, _args, _context, info) => {
      if (info.fieldName === 'inStock') return inStock(source);
      if (info.fieldName === 'shippingEstimate') return estimate(source);
      return source[info.fieldName];
    },
  });
}

function createMonolith(): GraphQLSchema {
  return buildSubgraphSchema({
    typeDefs: parse(`
      type Query { topProducts: [Product] }
      type Product {
        upc: ID! name: String price: Int weight: Int inStock: Boolean shippingEstimate: Int
      }`),
  });
}

function endpointOf(schema: GraphQLSchema): SubgraphEndpoint {
  return {
    async execute({ query, variables }) {
      const result = await execute({ schema, document: parse(query), variableValues: variables });
      return JSON.parse(JSON.stringify(result));
    },
    async subscribe() {
      throw new Error('There are no subscriptions');
    },
  };
}
