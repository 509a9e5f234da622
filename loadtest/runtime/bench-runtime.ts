import {
  type BatchPolicy,
  defaultBatchPolicy,
  type ManagedRuntime,
  type RuntimeConfig,
  startInferenceRuntime,
} from '@opea/inference-runtime';
import { fakeRegistry, perceptronModel, temporaryFolder } from '@opea/inference-runtime/testing';
import { systemClock } from '@opea/kernel/clock';
import { silentLogger } from '@opea/kernel/log';
import { createMetrics } from '@opea/kernel/metrics';

export const width = 2_048;

/** The 67 MB multilayer perceptron: four layers of 2,048 × 2,048 floats with seeded random weights. */
export const benchModel = () => perceptronModel({ layers: 4, width });

export interface BenchRuntime extends AsyncDisposable {
  readonly runtime: ManagedRuntime;
  /** One row to the model; resolves with the batch it ran in. */
  ask(options?: AskOptions): Promise<Awaited<ReturnType<ManagedRuntime['predict']>>>;
}

export interface AskOptions {
  readonly tenant?: string;
  readonly priority?: number;
  readonly deadlineMs?: number;
}

/** A runtime that serves the bench model from one worker with the given threads, warm. */
export async function startBenchRuntime(
  model: Uint8Array,
  {
    batching,
    ...config
  }: Partial<Omit<RuntimeConfig, 'batching'>> & { readonly batching?: Partial<BatchPolicy> },
): Promise<BenchRuntime> {
  const registry = fakeRegistry();
  const folder = await temporaryFolder();
  const runtime = await startInferenceRuntime({
    objects: registry.objects,
    bus: registry.bus,
    cacheFolder: folder.path,
    clock: systemClock,
    logger: silentLogger,
    metrics: createMetrics(),
    config: { ...config, batching: { ...defaultBatchPolicy, ...batching } },
  });
  registry.promote(registry.publish('bench', model));
  const { signal } = new AbortController();
  const data = new Float32Array(width).fill(0.5);
  let requests = 0;
  const ask = ({ tenant = 'a', ...options }: AskOptions = {}) =>
    runtime.predict(
      { tenant: registry.tenant, model: 'bench' },
      [{ name: 'x', datatype: 'FP32', shape: [1, width], data }],
      { requestId: `r${requests++}`, tenant, signal, ...options },
    );
  for (let warm = 0; warm < 3; warm++) await ask();
  return {
    runtime,
    ask,
    async [Symbol.asyncDispose]() {
      await runtime[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}
