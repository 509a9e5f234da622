import { z } from 'zod';
import { invalidInput } from '../errors.ts';

/** How one model version's requests are batched. Sizes count rows (items), not requests. */
export const batchPolicySchema = z
  .object({
    maxBatch: z.int().min(1).max(65_536).default(64).describe('Largest execution, rows'),
    preferredSizes: z
      .array(z.int().min(1))
      .default([])
      .describe('Sizes to run at once when they can be formed, rows'),
    maxDelayMs: z
      .number()
      .min(0)
      .max(60_000)
      .default(5)
      .describe('Longest wait for batch-mates while a worker is idle, ms'),
    maxQueuedRows: z
      .int()
      .min(1)
      .default(1_024)
      .describe('Bound of the queue, rows; beyond it requests are refused'),
    workAhead: z
      .boolean()
      .default(true)
      .describe(
        'Whether a full batch of the highest priority in use may wait inside a busy worker',
      ),
    maxExecutionMs: z
      .number()
      .positive()
      .optional()
      .describe('Batches are kept small enough to run within this time, ms'),
    maxBlockingMs: z
      .number()
      .positive()
      .optional()
      .describe('While a higher priority is in use, a lower one may hold a worker this long, ms'),
  })
  .readonly();

export type BatchPolicy = z.output<typeof batchPolicySchema>;

/** Throws INVALID_INPUT naming the setting that is out of its range. */
export function parsePolicy(policy: unknown): BatchPolicy {
  const result = batchPolicySchema.safeParse(policy);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw invalidInput({
    field: `batching.${issue?.path.join('.') ?? ''}`,
    problem: issue?.message ?? 'is not valid',
  });
}

export const defaultBatchPolicy: BatchPolicy = batchPolicySchema.parse({});
