export { type CanonicalOperation, canonicalOperations } from './canonical/canonical-operation.ts';
export { readSupergraph, type Supergraph } from './canonical/supergraph.ts';
export {
  createGraph,
  type GraphLimits,
  type GraphOptions,
  type PlannedGraph,
} from './execution/create-graph.ts';
export { serializeAnswer } from './execution/serialize-answer.ts';
export type { Graph, GraphAnswer, GraphAnswerError, GraphOperation } from './graph.ts';
export type { FetchNode, PlanNode, QueryPlan } from './planning/plan.ts';
export { type RemoteSourceOptions, remoteSource } from './sources/remote-source.ts';
