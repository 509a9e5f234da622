import type { GraphResult, SubgraphEndpoint } from '@opea/kernel/subgraph';
import { expect, it } from 'vitest';

import { type ProductsGraph, productsGraph } from '../testing/products-graph.ts';

export interface OpenedSource extends AsyncDisposable {
  readonly source: SubgraphEndpoint;
}

/** What every source keeps, wherever its subgraph runs; call it inside a `describe`. */
export function sourceContract(open: (world: ProductsGraph) => Promise<OpenedSource>): void {
  const call = (signal = new AbortController().signal) => ({ headers: { 'x-who': 'me' }, signal });

  it('answers a query with its variables', async () => {
    await using opened = await open(productsGraph());
    const query = 'query ($u: ID!) { product(upc: $u) { name } }';
    const result = await opened.source.execute({ query, variables: { u: '2' } }, call());
    expect(result).toEqual({ data: { product: { name: 'Couch' } } });
  });

  it('gives errors as a part of the answer', async () => {
    await using opened = await open(productsGraph());
    const result = await opened.source.execute({ query: '{ boom }' }, call());
    expect(result.data).toEqual({ boom: null });
    expect(result.errors?.[0]?.path).toEqual(['boom']);
  });

  it('streams the events of a subscription and ends with it', async () => {
    await using opened = await open(productsGraph());
    const query = 'subscription { ticks(times: 2) { upc } }';
    const events: GraphResult[] = [];
    for await (const event of await opened.source.subscribe({ query }, call())) events.push(event);
    expect(events).toEqual([{ data: { ticks: { upc: '1' } } }, { data: { ticks: { upc: '2' } } }]);
  });

  it('ends the subgraph’s work when the reader leaves', async () => {
    const world = productsGraph();
    await using opened = await open(world);
    const query = 'subscription { endless { upc } }';
    for await (const event of await opened.source.subscribe({ query }, call())) {
      expect(event.data).toBeDefined();
      break;
    }
    await expect.poll(() => world.open, { timeout: 10_000 }).toBe(0);
  });

  it('ends the subgraph’s work when the signal aborts', async () => {
    const world = productsGraph();
    await using opened = await open(world);
    const leaving = new AbortController();
    const query = 'subscription { endless { upc } }';
    const events = await opened.source.subscribe({ query }, call(leaving.signal));
    let seen = 0;
    for await (const event of events) {
      expect(event.errors).toBeUndefined();
      seen += 1;
      if (seen === 2) leaving.abort();
    }
    await expect.poll(() => world.open, { timeout: 10_000 }).toBe(0);
  });
}
