import { setMaxListeners } from 'node:events';
import type { Clock } from '@opea/kernel/clock';
import { hasCode, PlatformError } from '@opea/kernel/errors';
import { type CircuitBreaker, circuitBreaker } from '@opea/kernel/resilience';
import type {
  ModelRef,
  PredictResult,
  RequestOptions,
  ServedVersion,
  Tensor,
} from '@opea/schema/runtime';
import { Coalescer } from '../caching/coalescer.ts';
import { requestDigest } from '../caching/request-digest.ts';
import { ResultCache } from '../caching/result-cache.ts';
import type { RuntimeConfig } from '../config.ts';
import { wrongModelKind } from '../errors.ts';
import type { CataloguedVersion } from '../models/catalogue.ts';
import type { LeaseModel } from '../models/lease-models.ts';
import { labelOf } from '../models/loaded-version.ts';
import type { RuntimeMetrics } from '../observing/runtime-metrics.ts';
import { tracePrediction } from '../observing/trace-prediction.ts';
import type { Timing } from '../timing/timing.ts';

export interface PredictorOptions {
  readonly config: Pick<
    RuntimeConfig,
    'predictTimeoutMs' | 'resultCacheBytes' | 'coalesce' | 'fallbacks'
  >;
  readonly lease: LeaseModel;
  readonly served: (version: CataloguedVersion) => ServedVersion;
  readonly timing: Timing;
  readonly clock: Clock;
  readonly metrics: RuntimeMetrics;
}

export type Predict = (
  ref: ModelRef,
  inputs: readonly Tensor[],
  options: RequestOptions,
) => Promise<PredictResult>;

/** Errors that another model may cure: the model is the problem, not the request. */
const curable = [
  'MODEL_NOT_READY',
  'MODEL_REFUSED',
  'WORKER_CRASHED',
  'CIRCUIT_OPEN',
  'UNAVAILABLE',
  'NON_FINITE_OUTPUT',
];

/** Answers predictions: from the cache, together with equal ones, by running, or by the model named as fallback. */
export function predictor(options: PredictorOptions): Predict {
  const { config, lease, served, timing, clock, metrics } = options;
  const cache = new ResultCache<PredictResult>(config.resultCacheBytes);
  const coalescer = new Coalescer<PredictResult>();
  const circuits = new Map<string, CircuitBreaker>();

  function circuitOf({ versionId }: CataloguedVersion): CircuitBreaker {
    const known = circuits.get(versionId);
    if (known) return known;
    const made = circuitBreaker({
      clock,
      minCalls: 5,
      isFailure: (error) => !(error instanceof PlatformError) || hasCode(error, 'WORKER_CRASHED'),
      onChange: (state) => metrics.circuit(versionId, state),
    });
    circuits.set(versionId, made);
    return made;
  }

  const predict: Predict = async (ref, inputs, request) => {
    const startedAt = timing.now();
    // One caller may ask for many predictions under one signal.
    setMaxListeners(0, request.signal);
    const { deadlineMs = config.predictTimeoutMs } = request;
    let label = ref.model;
    try {
      const { version, lease: held } = await lease(ref, deadlineMs, request.signal);
      using _ = held;
      label = labelOf(version);
      const { loaded } = held;
      if (loaded.kind !== 'TENSOR') throw wrongModelKind({ model: label, kind: loaded.kind });

      const run = async (signal: AbortSignal): Promise<PredictResult> => {
        const { answer, queueMs, computeMs, batch } = await circuitOf(version).run(() =>
          loaded.model.predict(inputs, {
            tenant: request.tenant,
            priority: Math.min(3, Math.max(1, Math.round(request.priority ?? 2))),
            deadlineMs: deadlineMs - (timing.now() - startedAt),
            signal,
          }),
        );
        const totalMs = timing.now() - startedAt;
        const timings = { queueMs, computeMs, totalMs };
        return { version: served(version), outputs: answer, timing: timings, batch };
      };
      const scope = [request.tenant, version.versionId];
      const result = await answered({ scope, inputs, request, run });
      const totalMs = timing.now() - startedAt;
      metrics.answered(label, 'OK', totalMs);
      return { ...result, timing: { ...result.timing, totalMs } };
    } catch (reason) {
      const code = reason instanceof PlatformError ? reason.kind.code : 'INTERNAL_ERROR';
      metrics.answered(label, code, timing.now() - startedAt);
      throw reason;
    }
  };

  async function answered({
    scope,
    inputs,
    request,
    run,
  }: {
    scope: readonly string[];
    inputs: readonly Tensor[];
    request: RequestOptions;
    run: (signal: AbortSignal) => Promise<PredictResult>;
  }): Promise<PredictResult> {
    const remembers = config.resultCacheBytes > 0;
    if (!remembers && !config.coalesce) return await run(request.signal);
    const digest = requestDigest(scope, inputs);
    const known = cache.get(digest);
    metrics.cache(known ? 'HIT' : 'MISS');
    const origin = 'CACHED';
    if (known) return { ...known, origin, timing: { queueMs: 0, computeMs: 0, totalMs: 0 } };

    if (!config.coalesce) {
      const result = await run(request.signal);
      cache.put(digest, result);
      return result;
    }
    const { answer, joined } = await coalescer.run(digest, request.signal, run);
    if (!joined && remembers) cache.put(digest, answer);
    if (!joined) return answer;
    const outputs = answer.outputs.map((output) => ({ ...output, data: output.data.slice() }));
    return { ...answer, outputs, origin: 'COALESCED' };
  }

  const withFallback: Predict = async (ref, inputs, request) => {
    try {
      return await predict(ref, inputs, request);
    } catch (reason) {
      const fallback = Object.hasOwn(config.fallbacks, ref.model)
        ? config.fallbacks[ref.model]
        : undefined;
      const isCurable = curable.some((code) => hasCode(reason, code));
      if (fallback === undefined || !isCurable || request.signal.aborted) throw reason;
      try {
        const { tenant } = ref;
        const result = await predict({ tenant, model: fallback }, inputs, request);
        return { ...result, origin: 'FALLBACK' };
      } catch {
        // What the caller asked for is what it should hear about.
        throw reason;
      }
    }
  };

  return (ref, inputs, request) =>
    tracePrediction({ ref, options: request, clock }, () => withFallback(ref, inputs, request));
}
