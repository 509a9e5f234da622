import { unavailable } from '@opea/kernel/errors';
import type { TokenCounts, TokenEvent } from '../token-stream.ts';

/** What every document of one answer repeats. */
export interface AnswerHead {
  readonly id: string;
  readonly object: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly model: string;
  readonly system_fingerprint: string;
}

/**
 * `id` is the generation's in the graph, and `system_fingerprint` the id of the version that answers: both lead to the
 * lineage.
 */
export const headOf = (
  { generation, modelVersion }: TokenEvent,
  answer: { readonly object: string; readonly created: number; readonly model: string },
): AnswerHead => ({ id: generation.id, ...answer, system_fingerprint: modelVersion.id });

export const usageOf = (usage: TokenCounts | null) => ({
  prompt_tokens: usage?.promptTokens ?? 0,
  completion_tokens: usage?.completionTokens ?? 0,
  total_tokens: usage?.totalTokens ?? 0,
});

/** Null while it runs. Throws UNAVAILABLE for a generation that the runtime could not finish. */
export function finishReasonOf({ finishReason }: TokenEvent): 'stop' | 'length' | null {
  if (finishReason === 'ERROR') throw unavailable({ retryAfterMs: 1_000 });
  if (finishReason === null) return null;
  return finishReason === 'LENGTH' ? 'length' : 'stop';
}

/** When an answer began, in seconds since 1970. */
export const secondsOf = (at: Date): number => Math.floor(at.getTime() / 1000);
