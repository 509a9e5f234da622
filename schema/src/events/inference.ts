import { defineEvent } from '@opea/kernel/events';
import { z } from 'zod';

/** One answered, refused or failed request. Durations in ms. */
export const servedItem = z.object({
  kind: z.enum(['PREDICTION', 'GENERATION']),
  id: z.string(),
  modelId: z.string(),
  model: z.string(),
  versionId: z.string(),
  principalId: z.string(),
  at: z.iso.datetime(),
  /** `OK`, or the code of the error that the caller got. */
  outcome: z.string(),
  queueMs: z.number().nonnegative(),
  computeMs: z.number().nonnegative(),
  totalMs: z.number().nonnegative(),
  /** Rows of this request. */
  rows: z.int().nonnegative().optional(),
  /** Rows of the execution it ran in, and that execution's id. */
  batchSize: z.number().nonnegative().optional(),
  executionId: z.string().optional(),
  batchReason: z.string().optional(),
  promptTokens: z.int().nonnegative().optional(),
  completionTokens: z.int().nonnegative().optional(),
  timeToFirstTokenMs: z.number().nonnegative().optional(),
});

/** What the runtime served, in batches: at most 256 items, at most 100 ms late. */
export const served = defineEvent('inference.served', 1, {
  items: z.array(servedItem).min(1).max(256),
});
