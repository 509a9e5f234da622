import { operationFromDocument, Supergraph } from '@apollo/federation-internals';
import { QueryPlanner } from '@apollo/query-planner';
import { parse } from 'graphql';
import { parentPort, workerData } from 'node:worker_threads';

// The body of one worker thread: answers { id, operation } with { id, plan } or { id, error }.

interface Question {
  readonly id: number;
  readonly operation: string;
}

const supergraph = Supergraph.build(String(workerData), { supportedFeatures: null });
const schema = supergraph.apiSchema();
const planner = new QueryPlanner(supergraph);

parentPort?.on('message', ({ id, operation }: Question) => {
  try {
    const plan = planner.buildQueryPlan(operationFromDocument(schema, parse(operation)));
    parentPort?.postMessage({ id, plan: JSON.stringify(plan.node ?? null, withoutDocuments) });
  } catch (error) {
    parentPort?.postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  }
});

parentPort?.postMessage('ready');

function withoutDocuments(key: string, value: unknown): unknown {
  return key === 'operationDocumentNode' ? undefined : value;
}
