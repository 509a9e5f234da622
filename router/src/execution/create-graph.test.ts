import { badUserInput, unavailable } from '@opea/kernel/errors';
import { parse } from 'graphql';
import { afterEach, describe, expect, it } from 'vitest';

import { productsGraph } from '../testing/products-graph.ts';
import { createGraph, type GraphOptions, type PlannedGraph } from './create-graph.ts';

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const graph of opened.splice(0)) await graph[Symbol.asyncDispose]();
});

function open(options: Partial<GraphOptions> = {}) {
  const world = productsGraph();
  const graph = createGraph({
    supergraphSdl: world.supergraphSdl,
    sources: world.sources,
    limits: { planningMs: 10_000 },
    ...options,
  });
  opened.push(graph);
  return { world, graph };
}

const operation = (query: string, variables = {}, signal = new AbortController().signal) => ({
  document: parse(query),
  query,
  operationName: undefined,
  variables,
  headersFor: async () => ({}),
  signal,
});

const ask = (graph: PlannedGraph, query: string, variables = {}) =>
  graph.execute(operation(query, variables));

describe('a federated graph', () => {
  it('keeps a client’s alias apart from a key of the same name', async () => {
    const { graph } = open();
    expect(await ask(graph, '{ product(upc: "1") { upc: name inStock } }')).toEqual({
      data: { product: { upc: 'Table', inStock: true } },
    });
  });

  it('decides conditions before planning, by the variables of the request', async () => {
    const { graph } = open();
    const query =
      'query ($s: Boolean!) { product(upc: "1") { name @skip(if: $s) inStock @include(if: $s) } }';
    expect(await ask(graph, query, { s: true })).toEqual({ data: { product: { inStock: true } } });
    expect(await ask(graph, query, { s: false })).toEqual({ data: { product: { name: 'Table' } } });
  });

  it('asks for each entity once, however often it is met', async () => {
    const { graph, world } = open();
    await ask(graph, '{ topProducts { similar(first: 2) { inStock } } }');
    const asked = world.requests.find(({ subgraph }) => subgraph === 'inventory');
    expect(Object.values(asked?.request.variables ?? {})[0]).toHaveLength(3);
  });

  it('reports an error at every place where the client asked for the value', async () => {
    const { graph } = open();
    const answer = await ask(graph, '{ a: boom b: boom }');
    expect(answer.data).toEqual({ a: null, b: null });
    expect(answer.errors?.map(({ path }) => path)).toEqual([['a'], ['b']]);
  });

  it('tells nothing about a subgraph’s inside', async () => {
    const { graph } = open();
    const text = JSON.stringify(await ask(graph, '{ boom }'));
    expect(text).not.toMatch(/SELECT|10\.0\.0\.7|products|stack/);
    expect(text).toContain('INTERNAL_ERROR');
  });

  it('passes on what the catalogue says', async () => {
    const { graph, world } = open();
    const { message, kind } = badUserInput({ reason: 'The model has no such version.' });
    world.sources.products.execute = async () => ({
      data: { boom: null },
      errors: [{ message, path: ['boom'], extensions: { code: kind.code, stacktrace: ['at x'] } }],
    });
    expect(await ask(graph, '{ boom }')).toEqual({
      data: { boom: null },
      errors: [{ message, path: ['boom'], extensions: { code: 'BAD_USER_INPUT' } }],
    });
  });

  it('lets null propagate to the nearest place that may hold it', async () => {
    const { graph } = open();
    const answer = await ask(
      graph,
      '{ topProducts { why: fragile } first: product(upc: "1") { fragile } }',
    );
    expect(answer.data).toEqual({ topProducts: null, first: { fragile: 'whole' } });
    expect(answer.errors?.[0]?.path).toEqual(['topProducts', 1, 'why']);
  });

  it('answers the rest when a subgraph is down', async () => {
    const { graph, world } = open();
    world.sources.inventory.execute = async () => {
      throw unavailable({ retryAfterMs: 1_000 });
    };
    const answer = await ask(graph, '{ product(upc: "1") { name there: inStock } }');
    expect(answer.data).toEqual({ product: { name: 'Table', there: null } });
    expect(answer.errors).toMatchObject([
      { path: ['product', 'there'], extensions: { code: 'UNAVAILABLE' } },
    ]);
  });

  it('gives up on a subgraph that hangs', async () => {
    const { graph } = open({ limits: { planningMs: 10_000, subgraphMs: 50 } });
    expect(await ask(graph, '{ slow }')).toMatchObject({
      data: { slow: null },
      errors: [{ path: ['slow'], extensions: { code: 'DEADLINE_EXCEEDED' } }],
    });
  });

  it.each([
    ['markup', { data: '<html>' }],
    ['no object', 'nonsense'],
    ['a list for an object', { data: { product: [1, 2] } }],
    ['an object for a text', { data: { product: { name: { a: 1 } } } }],
    ['a prototype', JSON.parse('{"data":{"product":{"name":"x","__proto__":{"polluted":1}}}}')],
  ])('survives a subgraph that answers with %s', async (_, result) => {
    const { graph, world } = open();
    world.sources.products.execute = async () => result;
    const answer = await ask(graph, '{ product(upc: "1") { name } }');
    expect(JSON.stringify(answer)).not.toMatch(/html|nonsense|polluted/);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  it('keeps strange keys of clients as plain properties of their own', async () => {
    const { graph } = open();
    const answer = await ask(graph, '{ product(upc: "1") { __proto__: name constructor: upc } }');
    expect(JSON.stringify(answer)).toBe(
      '{"data":{"product":{"__proto__":"Table","constructor":"1"}}}',
    );
  });

  it('runs mutations one after another and ends at a null it may not hold', async () => {
    const { graph, world } = open();
    const answer = await ask(graph, 'mutation { first { inStock } fail { name } second { name } }');
    expect(answer.data).toBeNull();
    expect(world.requests.map(({ subgraph }) => subgraph)).toEqual([
      'products',
      'inventory',
      'products',
    ]);
  });

  it('answers introspection from the API schema, beside data', async () => {
    const { graph, world } = open();
    expect(await ask(graph, '{ __typename __type(name: "Product") { n: name } }')).toEqual({
      data: { __typename: 'Query', __type: { n: 'Product' } },
    });
    expect(world.requests).toEqual([]);
  });

  it('completes the events of a subscription and remembers entities it has met', async () => {
    const { graph, world } = open();
    const events = await graph.subscribe(
      operation('subscription { ticks(times: 6) { n: name inStock } }'),
    );
    const answers = [];
    for await (const event of events) answers.push(event);
    expect(answers[1]).toEqual({ data: { ticks: { n: 'Couch', inStock: false } } });
    expect(answers).toHaveLength(6);
    expect(world.requests.filter(({ subgraph }) => subgraph === 'inventory')).toHaveLength(3);
  });

  it('ends the source when the client leaves', async () => {
    const { graph, world } = open();
    const leaving = new AbortController();
    const events = await graph.subscribe(
      operation('subscription { endless { name } }', {}, leaving.signal),
    );
    for await (const event of events) {
      expect(event).toEqual({ data: { endless: { name: 'Table' } } });
      break;
    }
    await expect.poll(() => world.open).toBe(0);
  });

  it('shares one run between equal queries, and only with equal headers', async () => {
    const { graph, world } = open({ shareInFlight: true });
    const query = '{ product(upc: "1") { name } }';
    const as = (who: string) => ({ ...operation(query), headersFor: async () => ({ who }) });
    const answers = await Promise.all(['ann', 'ann', 'bob'].map((who) => graph.execute(as(who))));
    expect(answers[1]).toBe(answers[0]);
    expect(answers[2]).not.toBe(answers[0]);
    expect(world.requests).toHaveLength(2);
  });

  it('gives up a shared run when everybody has left', async () => {
    const { graph, world } = open({ shareInFlight: true });
    const seen: AbortSignal[] = [];
    world.sources.products.execute = (_, { signal }) => {
      seen.push(signal);
      return new Promise(() => {});
    };
    const leaving = new AbortController();
    const answer = graph.execute(operation('{ slow }', {}, leaving.signal));
    await expect.poll(() => seen.length).toBe(1);
    leaving.abort();
    expect(await answer).toMatchObject({ errors: [{ extensions: { code: 'CANCELLED' } }] });
    expect(seen[0]?.aborted).toBe(true);
  });

  it('plans ahead what another graph was asked', async () => {
    const first = open().graph;
    await ask(first, '{ product(upc: "1") { name inStock } }');
    const { graph } = open();
    await graph.warm(first.recentOperations());
    expect(graph.recentOperations()).toEqual(first.recentOperations());
  });
});
