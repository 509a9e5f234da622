import { expect, it } from 'vitest';

import { productsGraph } from '../testing/products-graph.ts';
import type { FetchNode, PlanNode } from './plan.ts';
import { type Planner, PlanningFailed } from './planner.ts';

/** What every planner keeps; call it inside a `describe`. */
export function plannerContract(makePlanner: (supergraphSdl: string) => Planner): void {
  const { supergraphSdl } = productsGraph();

  const plan = async (operation: string) => {
    await using planner = makePlanner(supergraphSdl);
    await planner.ready();
    return await planner.plan(operation, AbortSignal.timeout(10_000));
  };

  it('fetches from one subgraph what one subgraph knows', async () => {
    const { node, primary } = await plan('{ topProducts { name } }');
    expect(primary).toBeUndefined();
    expect(fetchesOf(node).map(({ subgraph }) => subgraph)).toEqual(['products']);
  });

  it('looks entities up in the order of what they need', async () => {
    const { node } = await plan('{ topProducts { shippingEstimate } }');
    const [root, lookup] = fetchesOf(node);
    expect(root?.lookups).toEqual([]);
    expect(lookup?.subgraph).toBe('inventory');
    expect(lookup?.lookups[0]?.paths).toEqual([[{ key: 'topProducts' }, { each: true }]]);
    expect(JSON.stringify(lookup?.lookups[0]?.requires)).toMatch(/price.*weight|weight.*price/);
  });

  it('names the variables that a fetch needs', async () => {
    const { node } = await plan('query ($u: ID!) { product(upc: $u) { name } }');
    expect(fetchesOf(node)[0]?.variables).toEqual(['u']);
  });

  it('splits a subscription into its source and the rest per event', async () => {
    const { node, primary } = await plan('subscription { ticks { name inStock } }');
    expect(primary?.subgraph).toBe('products');
    expect(primary?.operationKind).toBe('subscription');
    expect(fetchesOf(node).map(({ subgraph }) => subgraph)).toEqual(['inventory']);
  });

  it('has no rest where the source knows everything', async () => {
    const { node, primary } = await plan('subscription { ticks { name } }');
    expect(primary?.subgraph).toBe('products');
    expect(node).toBeUndefined();
  });

  it('refuses what does not fit the graph', async () => {
    await expect(plan('{ nothing }')).rejects.toBeInstanceOf(PlanningFailed);
  });

  it('stops when the caller does, and plans the next operation', async () => {
    await using planner = makePlanner(supergraphSdl);
    await planner.ready();
    await expect(planner.plan('{ boom }', AbortSignal.abort(new Error('enough')))).rejects.toThrow(
      'enough',
    );
    const { node } = await planner.plan('{ boom }', AbortSignal.timeout(10_000));
    expect(fetchesOf(node)).toHaveLength(1);
  });
}

function fetchesOf(node: PlanNode | undefined): readonly FetchNode[] {
  if (!node) return [];
  if (node.kind === 'fetch') return [node];
  return node.kind === 'condition' ? [] : node.nodes.flatMap(fetchesOf);
}
