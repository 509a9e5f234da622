import { PlatformError } from '@opea/kernel/errors';
import type { InferenceRuntime } from '@opea/schema/runtime';
import type { RuntimeConfig } from '../config.ts';
import { wrongModelKind } from '../errors.ts';
import type { RuntimeMetrics } from '../observing/runtime-metrics.ts';
import type { Timing } from '../timing/timing.ts';
import type { LeaseModel } from './lease-models.ts';
import { labelOf } from './loaded-version.ts';

/** Generates with the version a reference names; it stays in memory until the reader leaves the stream. */
export function generateWith({
  lease,
  config,
  timing,
  metrics,
}: {
  readonly lease: LeaseModel;
  readonly config: Pick<RuntimeConfig, 'loadTimeoutMs'>;
  readonly timing: Timing;
  readonly metrics: RuntimeMetrics;
}): InferenceRuntime['generate'] {
  return async function* generate(ref, generation, options) {
    const startedAt = timing.now();
    const { deadlineMs } = options;
    let label = ref.model;
    try {
      const { version, lease: held } = await lease(
        ref,
        deadlineMs ?? config.loadTimeoutMs,
        options.signal,
      );
      using _ = held;
      label = labelOf(version);
      const { kind, model } = held.loaded;
      if (kind !== 'DECODER') throw wrongModelKind({ model: label, kind });
      const left = deadlineMs === undefined ? undefined : deadlineMs - (timing.now() - startedAt);
      yield* model.generate(generation, {
        ...options,
        ...(left !== undefined && { deadlineMs: Math.max(1, left) }),
      });
      metrics.answered(label, 'OK', timing.now() - startedAt);
    } catch (reason) {
      const code = reason instanceof PlatformError ? reason.kind.code : 'INTERNAL_ERROR';
      metrics.answered(label, code, timing.now() - startedAt);
      throw reason;
    }
  };
}
