import type { GraphResult } from '@opea/kernel/subgraph';
import {
  type Execution,
  executePlan,
  mergeRoot,
  requestOf,
  variablesOf,
} from '../execution/execute-plan.ts';
import type { OperationVariant } from '../execution/prepared-operation.ts';
import type { GraphAnswer } from '../graph.ts';
import type { FetchNode, PlanNode } from '../planning/plan.ts';
import { shapeAnswer } from '../shaping/shape-answer.ts';
import { entityMemory } from './entity-memory.ts';

export interface SubscriptionRequest {
  readonly primary: FetchNode;
  /** What each event still lacks; undefined when the source knows everything. */
  readonly rest: PlanNode | undefined;
  readonly variant: OperationVariant;
  /** A fresh execution per event, with the request's headers and signal. */
  readonly executionOf: () => Execution;
}

/**
 * Events of the source that owns the field, each completed by the rest of the plan. Entities met
 * before are not asked for again while they are fresh. Events are handled one at a time, so a slow
 * reader holds back the source and nothing piles up here. Ending the iteration, or the request's
 * signal, ends the source's.
 */
export async function subscribeTo(
  request: SubscriptionRequest,
): Promise<AsyncIterable<GraphAnswer>> {
  const { primary, executionOf } = request;
  const first = executionOf();
  const source = first.sources.get(primary.subgraph);
  if (!source) return refused(first, primary, new Error('No source is known'));
  const ended = new AbortController();
  const end = () => ended.abort(first.signal.reason);
  if (first.signal.aborted) end();
  first.signal.addEventListener('abort', end, { once: true });
  try {
    const headers = await first.headersFor(primary.subgraph);
    const events = await source.subscribe(
      requestOf(primary, variablesOf(primary, first.variables)),
      {
        headers,
        signal: ended.signal,
      },
    );
    return answers(request, events, first, () => {
      first.signal.removeEventListener('abort', end);
      ended.abort();
    });
  } catch (error) {
    first.signal.removeEventListener('abort', end);
    return refused(first, primary, error);
  }
}

async function* answers(
  { primary, rest, variant, executionOf }: SubscriptionRequest,
  events: AsyncIterable<GraphResult>,
  first: Execution,
  release: () => void,
): AsyncGenerator<GraphAnswer> {
  const memory = rest && entityMemory();
  try {
    for await (const event of events) {
      const execution: Execution = { ...executionOf(), memory };
      mergeRoot(primary, event, execution);
      if (rest) await executePlan(rest, execution);
      const { shape, typename } = variant;
      const { data, errors } = shapeAnswer({
        shape,
        typename,
        data: execution.data,
        meta: undefined,
      });
      const all = [...errors, ...execution.failures];
      yield all.length > 0 ? { data, errors: all } : { data };
    }
  } catch (error) {
    if (first.signal.aborted) return;
    yield answerTo(first, primary, error);
  } finally {
    release();
  }
}

async function* refused(
  execution: Execution,
  primary: FetchNode,
  error: unknown,
): AsyncGenerator<GraphAnswer> {
  yield answerTo(execution, primary, error);
}

function answerTo(execution: Execution, primary: FetchNode, error: unknown): GraphAnswer {
  const { message, extensions } = execution.mask.thrown(error, primary.subgraph);
  return { errors: [{ message, extensions }] };
}
