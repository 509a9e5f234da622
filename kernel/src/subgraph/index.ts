export type {
  GraphCall,
  GraphFailure,
  GraphRequest,
  GraphResult,
  SubgraphEndpoint,
} from './graph-call.ts';
export type {
  CallInfo,
  ContextSource,
  ResolverMap,
  Subgraph,
  SubgraphOptions,
} from './subgraph.ts';
