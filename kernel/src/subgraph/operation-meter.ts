import type { GraphResult } from './graph-call.ts';
import type { SubgraphOptions } from './subgraph.ts';

/** Measures operations: how long, and how they ended. */
export function operationMeter<Context>({ name, metrics }: SubgraphOptions<Context>) {
  const seconds = metrics.histogram({
    name: 'opea_subgraph_operation_seconds',
    help: 'Time to answer an operation, by subgraph and outcome (ok, or the first error code).',
    labels: ['subgraph', 'outcome'],
  });
  return async (work: () => Promise<GraphResult>): Promise<GraphResult> => {
    const end = seconds.startTimer({ subgraph: name });
    const result = await work();
    const code = result.errors?.[0]?.extensions?.['code'];
    end({ outcome: result.errors ? (typeof code === 'string' ? code : 'ERROR') : 'ok' });
    return result;
  };
}
