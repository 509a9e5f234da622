// The process of Apollo's planner. Plain JavaScript on purpose: it is loaded as it is, from source and from dist alike.
import { operationFromDocument, Supergraph } from '@apollo/federation-internals';
import { QueryPlanner } from '@apollo/query-planner';
import { parse } from 'graphql';
import { servePlans } from './serve-plans.mjs';

servePlans((supergraphSdl) => {
  const supergraph = Supergraph.build(supergraphSdl, { supportedFeatures: null });
  const schema = supergraph.apiSchema();
  const planner = new QueryPlanner(supergraph);
  return (operation) => {
    const plan = planner.buildQueryPlan(operationFromDocument(schema, parse(operation)));
    return JSON.stringify(plan.node ?? null, withoutDocuments);
  };
});

function withoutDocuments(key, value) {
  return key === 'operationDocumentNode' ? undefined : value;
}
