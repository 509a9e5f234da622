import { newId } from '@opea/kernel/ids';
import type { Logger } from '@opea/kernel/log';
import type { Metrics } from '@opea/kernel/metrics';
import type { TensorSpec } from '@opea/schema/runtime';
import type { RuntimeConfig } from '../config.ts';
import type { Engine, Signature } from '../engines/engine.ts';
import type { WorkerPool } from '../engines/worker-pool.ts';
import { modelRefused } from '../errors.ts';
import { createGenerator } from '../generation/index.ts';
import { tensorModel } from '../predicting/tensor-model.ts';
import type { SchedulerObserver } from '../scheduling/batch.ts';
import type { BatchPolicy } from '../scheduling/policy.ts';
import type { Timing } from '../timing/timing.ts';
import type { CataloguedVersion } from './catalogue.ts';
import { type LoadVersion, labelOf } from './loaded-version.ts';

export interface LoadVersionOptions {
  readonly engine: Engine;
  readonly pool: WorkerPool;
  readonly config: RuntimeConfig;
  readonly policyOf: (version: CataloguedVersion) => BatchPolicy;
  readonly timing: Timing;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly observe: (label: string) => SchedulerObserver;
}

/** How each kind of model comes into memory. */
export function loadVersion(options: LoadVersionOptions): LoadVersion {
  const { engine, pool, config, policyOf, timing, logger, metrics, observe } = options;
  const { isolation } = config;

  return async (version, files, signal) => {
    const name = labelOf(version);
    if (version.kind === 'DECODER') {
      const { kind, versionId, modelId, model, number, signature } = version;
      const generator = await createGenerator({
        version: { kind, versionId, modelId, model, number, signature, state: 'READY' },
        files,
        pool,
        isolation,
        config: config.generation,
        timing,
        logger,
        metrics,
      });
      const weights = files.reduce((sum, { size }) => sum + size, 0);
      return { kind, model: generator, bytes: weights + generator.info.kvBytes };
    }

    const { instances } = config;
    const loaded = await engine.load({ name, files, instances, isolation, signal });
    const difference = differenceBetween(version.signature, loaded.signature);
    if (difference) {
      await loaded[Symbol.asyncDispose]();
      throw modelRefused({ model: name, reason: difference });
    }
    const model = tensorModel({
      name,
      engine: loaded,
      policy: policyOf(version),
      timing,
      newId,
      observer: observe(name),
    });
    return { kind: 'TENSOR', model, bytes: loaded.bytes };
  };
}

/** What the published signature promises and the file does not keep. */
function differenceBetween(published: Signature, actual: Signature): string | undefined {
  return (
    firstDifference('input', published.inputs, actual.inputs) ??
    firstDifference('output', published.outputs, actual.outputs)
  );
}

function firstDifference(
  what: string,
  published: readonly TensorSpec[],
  actual: readonly TensorSpec[],
): string | undefined {
  for (const { name, datatype, shape } of published) {
    const found = actual.find((spec) => spec.name === name);
    if (!found) return `it has no ${what} ${name}, which its published signature names`;
    if (found.datatype !== datatype || found.shape.length !== shape.length)
      return `its ${what} ${name} is not what its published signature says`;
  }
  return undefined;
}
