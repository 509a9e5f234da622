import { join } from 'node:path';
import type { Bus } from '@opea/kernel/bus';
import type { Clock } from '@opea/kernel/clock';
import { newId } from '@opea/kernel/ids';
import { openStack } from '@opea/kernel/lifecycle';
import type { Logger } from '@opea/kernel/log';
import type { Metrics } from '@opea/kernel/metrics';
import type { ObjectStore } from '@opea/kernel/objects';
import type { InferenceRuntime, ServedVersion } from '@opea/schema/runtime';
import { defaultRuntimeConfig, type RuntimeConfig } from './config.ts';
import { onnxEngine, startWorkerPool } from './engines/index.ts';
import { folderArtifactCache } from './models/artifact-cache.ts';
import type { CataloguedVersion } from './models/catalogue.ts';
import { generateWith } from './models/generate-with.ts';
import { leaseModels } from './models/lease-models.ts';
import { loadVersion } from './models/load-version.ts';
import { labelOf } from './models/loaded-version.ts';
import { MemoryBudget } from './models/memory-budget.ts';
import { ModelHost } from './models/model-host.ts';
import { followRegistry } from './models/registry-follower.ts';
import { runtimeMetrics } from './observing/runtime-metrics.ts';
import { predictor } from './predicting/predictor.ts';
import { machineTiming, type Timing } from './timing/timing.ts';
import { type PolicyControl, policyControl, policyOf } from './tuning/policies.ts';
import { filePolicyStore } from './tuning/policy-store.ts';

export type { RuntimeConfig } from './config.ts';
export { defaultRuntimeConfig } from './config.ts';
export { type BatchPolicy, defaultBatchPolicy } from './scheduling/policy.ts';

export interface InferenceRuntimeDependencies {
  readonly objects: Pick<ObjectStore, 'get'>;
  readonly bus: Pick<Bus, 'read'>;
  /** Where model files are kept on this node. */
  readonly cacheFolder: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Cores of the machine; they decide how many workers and threads there are by default. Default 2. */
  readonly cores?: number;
  readonly config?: Partial<RuntimeConfig>;
  readonly timing?: Timing;
}

/** What an operator may do to a runtime beyond asking it. */
export interface ManagedRuntime extends InferenceRuntime, PolicyControl {}

/** Serves the registry's models: follows its events, loads on demand and on promotion, batches across callers. */
export async function startInferenceRuntime(
  dependencies: InferenceRuntimeDependencies,
): Promise<ManagedRuntime> {
  const {
    objects,
    bus,
    cacheFolder,
    clock,
    logger,
    cores = 2,
    timing = machineTiming,
  } = dependencies;
  const config: RuntimeConfig = { ...defaultRuntimeConfig(cores), ...dependencies.config };
  const metrics = runtimeMetrics(dependencies.metrics);
  const stack = openStack({ deadlineMs: 40_000 });
  const pool = stack.use(
    startWorkerPool({
      workers: config.workers,
      threadsPerWorker: config.threadsPerWorker,
      processMemoryBytes: config.processMemoryBytes,
      logger,
      now: timing.now,
      onRestart: metrics.workerRestarted,
    }),
  );
  const policies = await filePolicyStore(join(cacheFolder, 'policies.json'));
  const load = loadVersion({
    engine: onnxEngine(pool),
    pool,
    config,
    policyOf: (version) => policyOf(version, policies, config),
    timing,
    logger,
    metrics: dependencies.metrics,
    observe: metrics.schedulerOf,
  });
  const host = stack.use(
    new ModelHost({
      cache: folderArtifactCache({ folder: cacheFolder, objects, newId }),
      load,
      budget: new MemoryBudget(config.memoryBytes),
      isPinned: ({ model, modelId }) => [model, modelId].some((one) => config.pinned.includes(one)),
      timing,
      logger,
      loadTimeoutMs: config.loadTimeoutMs,
      retryLoadAfterMs: config.retryLoadAfterMs,
      drainMs: config.drainMs,
      observer: metrics.host,
    }),
  );
  const registry = stack.use(
    followRegistry({ bus, host, clock, logger, waitMs: config.catalogueWaitMs }),
  );
  const lease = leaseModels({ registry, host, timing });
  const served = (version: CataloguedVersion) => servedVersion(version, host);
  metrics.gauges(() => loadOf(host));

  return {
    ...policyControl({ policies, registry, host, lease, config }),
    predict: predictor({ config, lease, served, timing, clock, metrics }),
    generate: generateWith({ lease, config, timing, metrics }),
    resolve: async (ref) => served(await registry.resolve(ref, new AbortController().signal)),
    models: async (tenant) => registry.catalogue.versions(tenant).map(served),
    ready: async () => [registry.check()],
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

function servedVersion(version: CataloguedVersion, host: ModelHost): ServedVersion {
  const { versionId, modelId, model, number, kind, signature } = version;
  return { versionId, modelId, model, number, kind, signature, ...host.state(versionId) };
}

/** What waits for each model in memory, and what it takes. */
function* loadOf(host: ModelHost): Iterable<{ model: string; pending: number; bytes: number }> {
  for (const [version, { kind, model, bytes }] of host.ready()) {
    const pending = kind === 'TENSOR' ? model.scheduler.waiting.requests : model.stats().waiting;
    yield { model: labelOf(version), pending, bytes };
  }
}
