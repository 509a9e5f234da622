import { buildSubgraphSchema } from '@apollo/subgraph';
import type { GraphRequest, GraphResult, SubgraphEndpoint } from '@opea/kernel/subgraph';
import { composeServices } from '@theguild/federation-composition';
import { execute, type GraphQLSchema, parse, subscribe } from 'graphql';

const link =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@external", "@requires"])';

const definitions = {
  products: `${link}
    type Query { topProducts: [Product!] product(upc: ID!): Product boom: Int slow: Int }
    type Mutation { first: Product! second: Product fail: Product! }
    type Subscription { ticks(times: Int = 3): Product endless: Product }
    type Product @key(fields: "upc") {
      upc: ID! name: String! price: Int weight: Int fragile: String!
      similar(first: Int = 1): [Product!]
    }`,
  inventory: `${link}
    type Product @key(fields: "upc") {
      upc: ID! price: Int @external weight: Int @external
      inStock: Boolean shippingEstimate: Int @requires(fields: "price weight")
    }`,
};

interface Product {
  readonly upc: string;
  readonly name?: string;
  readonly price?: number | null;
  readonly weight?: number | null;
}

const products: readonly Product[] = [
  { upc: '1', name: 'Table', price: 899, weight: 100 },
  { upc: '2', name: 'Couch', price: 1299, weight: 1000 },
  { upc: '3', name: 'Chair', price: 54, weight: 50 },
];

const find = ({ upc }: { readonly upc: string }) =>
  products.find((product) => product.upc === upc) ?? null;

export interface ProductsGraph {
  readonly supergraphSdl: string;
  readonly schemas: Readonly<Record<'products' | 'inventory', GraphQLSchema>>;
  readonly sources: Record<'products' | 'inventory', SubgraphEndpoint>;
  /** Every request the subgraphs got, oldest first. */
  readonly requests: { readonly subgraph: string; readonly request: GraphRequest }[];
  /** Subscriptions that are open at a source now. */
  open: number;
}

/** Two subgraphs that share products, in this process, and everything they were asked. */
export function productsGraph(): ProductsGraph {
  const graph: ProductsGraph = {
    supergraphSdl: compose(),
    schemas: { products: productsSchema(() => graph), inventory: inventorySchema() },
    sources: {
      products: endpointOf('products', () => graph),
      inventory: endpointOf('inventory', () => graph),
    },
    requests: [],
    open: 0,
  };
  return graph;
}

function compose(): string {
  const result = composeServices(
    Object.entries(definitions).map(([name, sdl]) => ({
      name,
      url: `http://${name}`,
      typeDefs: parse(sdl),
    })),
  );
  if (result.supergraphSdl === undefined) throw new Error('The subgraphs do not compose');
  return result.supergraphSdl;
}

function productsSchema(graph: () => ProductsGraph): GraphQLSchema {
  return buildSubgraphSchema({
    typeDefs: parse(definitions.products),
    resolvers: {
      Query: {
        topProducts: () => products,
        product: (_: unknown, key: { upc: string }) => find(key),
        boom: () => {
          throw new Error('SELECT secret FROM vault at 10.0.0.7');
        },
        slow: () => new Promise(() => {}),
      },
      Mutation: {
        first: () => products[0],
        second: () => products[1],
        fail: () => {
          throw new Error('no');
        },
      },
      Subscription: {
        ticks: {
          async *subscribe(_: unknown, { times }: { times: number }) {
            for (let index = 0; index < times; index++) yield { ticks: products[index % 3] };
          },
        },
        endless: { subscribe: () => endless(graph()) },
      },
      Product: {
        __resolveReference: find,
        fragile({ upc }: Product) {
          if (upc === '2') throw new Error('broken');
          return 'whole';
        },
        similar: ({ upc }: Product, { first }: { first: number }) =>
          products.filter((product) => product.upc !== upc).slice(0, first),
      },
    },
  });
}

async function* endless(graph: ProductsGraph) {
  graph.open += 1;
  try {
    for (;;) {
      yield { endless: products[0] };
      await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    graph.open -= 1;
  }
}

function inventorySchema(): GraphQLSchema {
  return buildSubgraphSchema({
    typeDefs: parse(definitions.inventory),
    resolvers: {
      Product: {
        __resolveReference: (product: Product) => product,
        inStock: ({ upc }: Product) => upc !== '2',
        shippingEstimate: ({ price, weight }: Product) =>
          (price ?? 0) > 1000 ? 0 : (weight ?? 0) / 2,
      },
    },
  });
}

function endpointOf(
  subgraph: 'products' | 'inventory',
  graph: () => ProductsGraph,
): SubgraphEndpoint {
  const ask = (request: GraphRequest) => {
    graph().requests.push({ subgraph, request });
    return {
      schema: graph().schemas[subgraph],
      document: parse(request.query),
      variableValues: request.variables,
    };
  };
  return {
    execute: async (request) => plain(await execute(ask(request))),
    async subscribe(request, { signal }) {
      const events = await subscribe(ask(request));
      if (!(Symbol.asyncIterator in events)) return once(plain(events));
      signal.addEventListener('abort', () => void events.return(undefined), { once: true });
      return mapped(events);
    },
  };
}

async function* mapped(events: AsyncIterable<object>): AsyncGenerator<GraphResult> {
  for await (const event of events) yield plain(event);
}

async function* once(result: GraphResult): AsyncGenerator<GraphResult> {
  yield result;
}

function plain(result: object): GraphResult {
  return JSON.parse(JSON.stringify(result));
}
