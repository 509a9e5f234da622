import type { PlanNode, QueryPlan } from './plan.ts';

/** The subgraphs that a plan asks, each once, in one order. */
export function subgraphsOf(plans: readonly QueryPlan[]): readonly string[] {
  const names = new Set<string>();
  const visit = (node: PlanNode | undefined): void => {
    if (node === undefined) return;
    if (node.kind === 'fetch') names.add(node.subgraph);
    else if (node.kind === 'condition') {
      visit(node.whenTrue);
      visit(node.whenFalse);
    } else for (const inner of node.nodes) visit(inner);
  };
  for (const { primary, node } of plans) {
    visit(primary);
    visit(node);
  }
  return [...names].toSorted();
}
