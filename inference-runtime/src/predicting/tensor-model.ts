import { hasCode } from '@opea/kernel/errors';
import type { Tensor } from '@opea/schema/runtime';
import type { EngineModel } from '../engines/engine.ts';
import { nonFiniteOutput } from '../errors.ts';
import type { Answered, Outcome, SchedulerObserver } from '../scheduling/batch.ts';
import { BatchScheduler } from '../scheduling/batch-scheduler.ts';
import { isolateFailures } from '../scheduling/isolate-failures.ts';
import type { BatchPolicy } from '../scheduling/policy.ts';
import type { Timing } from '../timing/timing.ts';
import { isBatchable } from './batch-axis.ts';
import { joinRows, rowsOf, zeros } from './batch-tensors.ts';
import { validateInputs } from './validate-inputs.ts';

export interface TensorModelOptions {
  /** For errors, for example `digits@3`. */
  readonly name: string;
  readonly engine: EngineModel;
  readonly policy: BatchPolicy;
  readonly timing: Timing;
  readonly newId: () => string;
  readonly observer?: SchedulerObserver;
}

export interface PredictOptions {
  readonly tenant: string;
  readonly priority: number;
  readonly deadlineMs?: number;
  readonly signal: AbortSignal;
}

/** A loaded model that answers tensors with tensors: the door, the scheduler and the engine in a row. */
export interface TensorModel extends AsyncDisposable {
  readonly bytes: number;
  readonly scheduler: BatchScheduler<Request, readonly Tensor[]>;
  predict(inputs: readonly Tensor[], options: PredictOptions): Promise<Answered<readonly Tensor[]>>;
  configure(policy: BatchPolicy): void;
  /** Whether requests may share an execution. */
  readonly batchable: boolean;
  /** Runs zeros past the scheduler; resolves with the time it took, ms. For tuning. */
  probe(rows: number): Promise<number>;
}

interface Request {
  readonly tensors: readonly Tensor[];
  readonly rows: number;
}

export function tensorModel(options: TensorModelOptions): TensorModel {
  const { name, engine, timing, newId, observer } = options;
  const { signature } = engine;
  const batchable = isBatchable(signature);
  const effective = (policy: BatchPolicy): BatchPolicy =>
    batchable ? policy : { ...policy, maxBatch: 1, preferredSizes: [], maxDelayMs: 0 };
  const scheduler = new BatchScheduler<Request, readonly Tensor[]>({
    name,
    policy: effective(options.policy),
    lanes: engine.lanes,
    timing,
    newId,
    ...(observer && { observer }),
    async execute({ works }) {
      let computeMs = 0;
      const outcomes = await isolateFailures(
        works,
        async (part) => {
          const execution = await engine.run(
            joinRows(
              signature.inputs,
              part.map(({ tensors }) => tensors),
            ),
          );
          computeMs += execution.computeMs;
          return shareOut(part, execution);
        },
        (error) => hasCode(error, 'EXECUTION_FAILED'),
      );
      return { outcomes, computeMs };
    },
  });

  function shareOut(
    requests: readonly Request[],
    { outputs, nonFiniteRows }: Awaited<ReturnType<EngineModel['run']>>,
  ): readonly Outcome<readonly Tensor[]>[] {
    const [only] = requests;
    if (requests.length === 1 && only)
      return nonFiniteRows.length > 0
        ? [{ ok: false, error: nonFiniteOutput({ model: name }) }]
        : [{ ok: true, answer: outputs }];
    const bad = new Set(nonFiniteRows);
    let from = 0;
    return requests.map(({ rows }) => {
      const first = from;
      from += rows;
      for (let row = first; row < from; row++)
        if (bad.has(row)) return { ok: false, error: nonFiniteOutput({ model: name }) };
      return { ok: true, answer: rowsOf(outputs, first, rows) };
    });
  }

  return {
    bytes: engine.bytes,
    scheduler,
    async predict(inputs, { tenant, priority, deadlineMs, signal }) {
      const { tensors, rows, key } = validateInputs(inputs, {
        inputs: signature.inputs,
        batchable,
        maxRows: batchable ? scheduler.policy.maxBatch : Number.MAX_SAFE_INTEGER,
      });
      return await scheduler.submit(
        { tensors, rows },
        { rows, key, tenant, priority, signal, ...(deadlineMs !== undefined && { deadlineMs }) },
      );
    },
    batchable,
    async probe(rows) {
      const inputs = zeros(signature.inputs, rows);
      const startedAt = timing.now();
      await engine.run(inputs);
      return timing.now() - startedAt;
    },
    configure: (policy) => scheduler.configure(effective(policy)),
    async [Symbol.asyncDispose]() {
      await scheduler.drain();
      await engine[Symbol.asyncDispose]();
    },
  };
}
