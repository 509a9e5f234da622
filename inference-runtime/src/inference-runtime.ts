import { join } from 'node:path';
import type { Bus } from '@opea/kernel/bus';
import type { Clock } from '@opea/kernel/clock';
import { PlatformError } from '@opea/kernel/errors';
import { newId } from '@opea/kernel/ids';
import { openStack } from '@opea/kernel/lifecycle';
import type { Logger } from '@opea/kernel/log';
import type { Metrics } from '@opea/kernel/metrics';
import type { ObjectStore } from '@opea/kernel/objects';
import type {
  GenerateOptions,
  GenerationEvent,
  InferenceRuntime,
  ModelRef,
  RequestOptions,
  ServedVersion,
} from '@opea/schema/runtime';
import { defaultRuntimeConfig, type RuntimeConfig } from './config.ts';
import { onnxEngine, startWorkerPool } from './engines/index.ts';
import { cancelled, deadlineExceeded, wrongModelKind } from './errors.ts';
import { folderArtifactCache } from './models/artifact-cache.ts';
import type { CataloguedVersion } from './models/catalogue.ts';
import { loadVersion } from './models/load-version.ts';
import { labelOf } from './models/loaded-version.ts';
import { MemoryBudget } from './models/memory-budget.ts';
import { ModelHost, type Lease } from './models/model-host.ts';
import { followRegistry } from './models/registry-follower.ts';
import { runtimeMetrics } from './observing/runtime-metrics.ts';
import { predictor } from './predicting/predictor.ts';
import { type BatchPolicy, parsePolicy } from './scheduling/policy.ts';
import { machineTiming, type Timing } from './timing/timing.ts';
import type { TuningTarget } from './tuning/choose-policy.ts';
import { filePolicyStore } from './tuning/policy-store.ts';
import { type Tuned, tuneModel } from './tuning/tune-model.ts';

export type { RuntimeConfig } from './config.ts';
export { defaultRuntimeConfig } from './config.ts';
export type { BatchPolicy } from './scheduling/policy.ts';

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
export interface ManagedRuntime extends InferenceRuntime {
  /** Changes how a model version is batched, from the next batch on. */
  configure(ref: ModelRef, policy: Partial<BatchPolicy>): Promise<void>;
  /** Measures a model on this machine and sets the batch size and delay with the most throughput under a latency target. */
  tune(ref: ModelRef, target: TuningTarget): Promise<Tuned>;
}

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
      logger,
      now: timing.now,
      onRestart: metrics.workerRestarted,
    }),
  );
  const policies = await filePolicyStore(join(cacheFolder, 'policies.json'));
  const host = stack.use(
    new ModelHost({
      cache: folderArtifactCache({ folder: cacheFolder, objects, newId }),
      load: loadVersion({
        engine: onnxEngine(pool),
        pool,
        config,
        policyOf: (version) => policies.get(version.versionId) ?? config.batching,
        timing,
        logger,
        metrics: dependencies.metrics,
        observe: metrics.schedulerOf,
      }),
      budget: new MemoryBudget(config.memoryBytes),
      isPinned: ({ model, modelId }) =>
        config.pinned.includes(model) || config.pinned.includes(modelId),
      timing,
      logger,
      loadTimeoutMs: config.loadTimeoutMs,
      retryLoadAfterMs: config.retryLoadAfterMs,
      drainMs: 30_000,
      observer: metrics.host,
    }),
  );
  const registry = stack.use(
    followRegistry({ bus, host, clock, logger, waitMs: config.catalogueWaitMs }),
  );
  metrics.gauges(function* () {
    for (const [version, loaded] of host.ready()) {
      const pending =
        loaded.kind === 'TENSOR'
          ? loaded.model.scheduler.waiting.requests
          : loaded.model.stats().waiting;
      yield { model: labelOf(version), pending, bytes: loaded.bytes };
    }
  });

  const served = (version: CataloguedVersion): ServedVersion => ({
    versionId: version.versionId,
    modelId: version.modelId,
    model: version.model,
    number: version.number,
    kind: version.kind,
    signature: version.signature,
    ...host.state(version.versionId),
  });

  /** Binds a request to a version for as long as it takes. The deadline covers the load. */
  async function lease(
    ref: ModelRef,
    deadlineMs: number,
    signal: AbortSignal,
  ): Promise<{ version: CataloguedVersion; lease: Lease }> {
    if (signal.aborted) throw cancelled({}, signal.reason);
    const version = await registry.resolve(ref, signal);
    const ready = host.leaseIfReady(version);
    if (ready) return { version, lease: ready };
    const timeout = new AbortController();
    const stop = timing.after(deadlineMs, () =>
      timeout.abort(deadlineExceeded({ model: labelOf(version), stage: 'QUEUED' })),
    );
    try {
      const both = AbortSignal.any([signal, timeout.signal]);
      return await registry.acquire(ref, version, both);
    } finally {
      stop();
    }
  }

  const predict = predictor({ config, lease, served, timing, clock, metrics });

  async function* generate(
    ref: ModelRef,
    generation: GenerateOptions,
    options: RequestOptions,
  ): AsyncGenerator<GenerationEvent> {
    const startedAt = timing.now();
    let label = ref.model;
    try {
      const waitMs = options.deadlineMs ?? config.loadTimeoutMs;
      const { version, lease: held } = await lease(ref, waitMs, options.signal);
      using _ = held;
      label = labelOf(version);
      if (held.loaded.kind !== 'DECODER')
        throw wrongModelKind({ model: label, kind: held.loaded.kind });
      const left =
        options.deadlineMs === undefined
          ? {}
          : { deadlineMs: Math.max(1, options.deadlineMs - (timing.now() - startedAt)) };
      yield* held.loaded.model.generate(generation, { ...options, ...left });
      metrics.answered(label, 'OK', timing.now() - startedAt);
    } catch (reason) {
      metrics.answered(label, outcomeOf(reason), timing.now() - startedAt);
      throw reason;
    }
  }

  async function configure(ref: ModelRef, change: Partial<BatchPolicy>): Promise<void> {
    const version = await registry.resolve(ref, AbortSignal.timeout(config.loadTimeoutMs));
    const before = policies.get(version.versionId) ?? config.batching;
    const policy = parsePolicy({ ...before, ...change });
    for (const [loaded, { kind, model }] of host.ready())
      if (loaded.versionId === version.versionId && kind === 'TENSOR') model.configure(policy);
    await policies.set(version.versionId, policy);
  }

  return {
    predict,
    generate,
    resolve: async (ref) =>
      served(await registry.resolve(ref, AbortSignal.timeout(config.loadTimeoutMs))),
    models: async (tenant) => registry.catalogue.versions(tenant).map(served),
    configure,
    async tune(ref, target) {
      const signal = AbortSignal.timeout(config.loadTimeoutMs);
      const { version, lease: held } = await lease(ref, config.loadTimeoutMs, signal);
      using _ = held;
      const name = labelOf(version);
      if (held.loaded.kind !== 'TENSOR')
        throw wrongModelKind({ model: name, kind: held.loaded.kind });
      const tuned = await tuneModel(held.loaded.model, { name, ...target });
      await configure(ref, tuned.policy);
      return tuned;
    },
    ready: async () => [registry.check()],
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

function outcomeOf(reason: unknown): string {
  return reason instanceof PlatformError ? reason.kind.code : 'INTERNAL_ERROR';
}
