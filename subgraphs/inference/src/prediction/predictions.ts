import type { Viewer } from '@opea/kernel/auth';
import type { Clock } from '@opea/kernel/clock';
import { PlatformError } from '@opea/kernel/errors';
import { newId } from '@opea/kernel/ids';
import type { InferenceRuntime, PredictResult, Tensor, TensorData } from '@opea/schema/runtime';
import { invalidInput } from '../errors.ts';
import type { Journal, ServedItem } from '../journal/journal.ts';
import { modelRef } from '../model-ref.ts';
import type { PredictionRow, StoredTensor } from '../tables.ts';
import {
  decodeTensor,
  storedTensor,
  type TensorInput,
  tensorBase64,
  tensorValues,
} from '../tensor/tensor-codec.ts';

/** An answer, whether it was just computed or comes from the journal. */
export interface PredictionSource extends Omit<PredictionRow, 'outputs'> {
  readonly outputs: readonly Tensor[];
}

export interface PredictRequest {
  readonly model: string;
  readonly alias?: string | null | undefined;
  readonly version?: number | null | undefined;
  readonly inputs: readonly TensorInput[];
  readonly features: readonly string[];
  readonly priority: number;
  readonly deadlineMs?: number | null | undefined;
}

export interface Caller {
  readonly viewer: Viewer;
  readonly correlationId: string;
  readonly signal: AbortSignal;
}

/** Outputs beyond this many bytes are answered but not kept. */
const maxKeptBytes = 262_144;

/** Asks the runtime for predictions and remembers what it answered. */
export function predictions(deps: {
  readonly runtime: InferenceRuntime;
  readonly journal: Journal;
  readonly clock: Clock;
}) {
  const { runtime, journal, clock } = deps;

  return {
    async predict(request: PredictRequest, caller: Caller): Promise<PredictionSource> {
      const inputs = request.inputs.map(decodeTensor);
      const { tenant } = caller.viewer;
      const ref = modelRef(tenant, request);
      const priority = priorityOf(request.priority);
      const deadline = deadlineOf(request.deadlineMs, 30_000);
      const id = `prd_${newId()}`;
      const at = clock();
      const options = { requestId: id, tenant, priority, ...deadline, signal: caller.signal };
      try {
        const result = await runtime.predict(ref, inputs, options);
        return remember({ id, at, result, request, caller });
      } catch (error) {
        await rememberFailure({ id, at, error, ref, caller });
        throw error;
      }
    },

    async find(tenant: string, id: string): Promise<PredictionSource | undefined> {
      const row = await journal.findPrediction(tenant, id);
      return row && asSource(row);
    },

    async list(tenant: string, page: Parameters<Journal['listPredictions']>[1]) {
      return (await journal.listPredictions(tenant, page)).map(asSource);
    },
  };

  function remember(answered: {
    id: string;
    at: Date;
    result: PredictResult;
    request: PredictRequest;
    caller: Caller;
  }): PredictionSource {
    const { id, at, result, request, caller } = answered;
    const { version, outputs, timing, batch } = result;
    const prediction: PredictionRow = {
      id,
      tenant: caller.viewer.tenant,
      model_id: version.modelId,
      version_id: version.versionId,
      principal_id: caller.viewer.id,
      at,
      outputs: kept(outputs),
      timing,
      batch,
      features: request.features,
    };
    const item: ServedItem = {
      ...itemOf(id, at, caller, version),
      outcome: 'OK',
      ...timing,
      rows: outputs[0]?.shape[0] ?? 1,
      batchSize: batch.size,
      executionId: batch.executionId,
      batchReason: batch.reason,
    };
    const { tenant } = caller.viewer;
    journal.record({ tenant, correlationId: caller.correlationId, item, prediction });
    return { ...prediction, outputs };
  }

  async function rememberFailure(failed: {
    id: string;
    at: Date;
    error: unknown;
    ref: ReturnType<typeof modelRef>;
    caller: Caller;
  }): Promise<void> {
    const { id, at, error, ref, caller } = failed;
    const version = await runtime.resolve(ref).catch(() => undefined);
    if (!version) return;
    const item: ServedItem = {
      ...itemOf(id, at, caller, version),
      outcome: error instanceof PlatformError ? error.kind.code : 'INTERNAL_ERROR',
      queueMs: 0,
      computeMs: 0,
      totalMs: Math.max(0, clock().getTime() - at.getTime()),
    };
    journal.record({ tenant: caller.viewer.tenant, correlationId: caller.correlationId, item });
  }
}

export type Predictions = ReturnType<typeof predictions>;

/** 1, 2 or 3; throws INVALID_INPUT for anything else. */
export function priorityOf(priority: number): number {
  if (![1, 2, 3].includes(priority))
    throw invalidInput({ field: 'priority', problem: 'is 1, 2 or 3' });
  return priority;
}

/** A deadline in ms where one was given; throws INVALID_INPUT beyond the longest. */
export function deadlineOf(
  deadlineMs: number | null | undefined,
  longestMs: number,
): { deadlineMs?: number } {
  if (deadlineMs === null || deadlineMs === undefined) return {};
  if (deadlineMs < 1 || deadlineMs > longestMs)
    throw invalidInput({ field: 'deadlineMs', problem: `is 1 to ${longestMs}` });
  return { deadlineMs };
}

function itemOf(
  id: string,
  at: Date,
  caller: Caller,
  version: { modelId: string; model: string; versionId: string },
) {
  return {
    kind: 'PREDICTION' as const,
    id,
    modelId: version.modelId,
    model: version.model,
    versionId: version.versionId,
    principalId: caller.viewer.id,
    at: at.toISOString(),
  };
}

function kept(outputs: readonly Tensor[]): readonly StoredTensor[] {
  const stored = outputs.map((tensor) => ({
    name: tensor.name,
    datatype: tensor.datatype,
    shape: tensor.shape,
    base64: tensorBase64(tensor),
    ...(tensor.datatype === 'BYTES' ? { strings: tensorValues(tensor).map(String) } : {}),
  }));
  const bytes = outputs.reduce((sum, { data }) => sum + byteLength(data), 0);
  return bytes > maxKeptBytes ? [] : stored;
}

function byteLength(data: TensorData): number {
  if (ArrayBuffer.isView(data)) return data.byteLength;
  return data.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}

const asSource = (row: PredictionRow): PredictionSource => ({
  ...row,
  outputs: row.outputs.map(storedTensor),
});
