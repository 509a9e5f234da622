import { modelNotReady } from '../errors.ts';
import type { TensorModel } from '../predicting/tensor-model.ts';
import type { BatchPolicy } from '../scheduling/policy.ts';
import { choosePolicy, type Measurement, type TuningTarget } from './choose-policy.ts';

const repeats = 3;

export interface Tuned {
  readonly policy: BatchPolicy;
  readonly measurements: readonly Measurement[];
}

/**
 * Measures executions of growing size, from 1 row to `maxRows` or until one takes longer than the target allows, and
 * chooses. The best of three counts: what disturbs a measurement only ever adds to it. Throws MODEL_NOT_READY when even
 * single rows are too slow for the target.
 */
export async function tuneModel(
  model: TensorModel,
  {
    name,
    maxRows = 256,
    ...target
  }: TuningTarget & { readonly name: string; readonly maxRows?: number },
): Promise<Tuned> {
  const measurements: Measurement[] = [];
  for (let rows = 1; rows <= maxRows; rows *= 2) {
    let ms = Number.POSITIVE_INFINITY;
    for (let repeat = 0; repeat < repeats; repeat++) ms = Math.min(ms, await model.probe(rows));
    measurements.push({ rows, ms });
    if (2 * ms > target.latencyMs || !model.batchable) break;
  }
  const policy = choosePolicy(measurements, target, model.scheduler.policy);
  if (policy === undefined)
    throw modelNotReady({
      model: name,
      reason: 'a single row takes longer than the target allows',
    });
  return { policy, measurements };
}
