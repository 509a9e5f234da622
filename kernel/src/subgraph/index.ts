export { CORRELATION_HEADER } from './caller.ts';
export type {
  GraphCall,
  GraphFailure,
  GraphRequest,
  GraphResult,
  SubgraphEndpoint,
} from './graph-call.ts';
export { TIMEOUT_HEADER } from './http-front.ts';
export { startSubgraph } from './start-subgraph.ts';
export type {
  CallInfo,
  ContextSource,
  ResolverMap,
  Subgraph,
  SubgraphOptions,
} from './subgraph.ts';
