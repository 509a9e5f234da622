export { type RunSubgraphOptions, runSubgraph, type SubgraphParts } from './run-subgraph.ts';
export { processShape, type SubgraphConfig, subgraphShape } from './subgraph-shape.ts';
