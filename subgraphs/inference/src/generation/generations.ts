import type { Clock } from '@opea/kernel/clock';
import { PlatformError } from '@opea/kernel/errors';
import { newId } from '@opea/kernel/ids';
import { sleep } from '@opea/kernel/resilience';
import type { GenerateOptions, InferenceRuntime } from '@opea/schema/runtime';
import { generationNotFound } from '../errors.ts';
import type { Journal, ServedItem } from '../journal/journal.ts';
import { modelRef } from '../model-ref.ts';
import { type Caller, deadlineOf, priorityOf } from '../prediction/predictions.ts';
import type { GenerationRow } from '../tables.ts';
import { type FollowedToken, follow } from './follow.ts';
import { LiveGeneration } from './live-generation.ts';

export interface GenerateRequest extends Omit<GenerateOptions, OptionalSettings> {
  readonly model: string;
  readonly alias?: string | null | undefined;
  readonly version?: number | null | undefined;
  readonly priority: number;
  readonly deadlineMs?: number | null | undefined;
  readonly maxTokens?: number | null | undefined;
  readonly temperature?: number | null | undefined;
  readonly topK?: number | null | undefined;
  readonly topP?: number | null | undefined;
  readonly minP?: number | null | undefined;
  readonly repetitionPenalty?: number | null | undefined;
  readonly seed?: number | null | undefined;
  readonly stop: readonly string[];
}

type OptionalSettings = Exclude<keyof GenerateOptions, 'prompt'>;

/** A generation with whose it is, live or from the journal. */
export interface GenerationSource {
  readonly id: string;
  readonly tenant: string;
  readonly principalId: string;
  readonly at: Date;
  readonly live: LiveGeneration;
}

/** How long an ended generation can still be followed from memory, in ms. */
const lingerMs = 60_000;

/** How long a stop waits for the runtime to end what runs, in ms. */
const stopPatienceMs = 2_000;

/** Runs generations, lets callers follow them, and remembers what came of them. */
export function generations(deps: {
  readonly runtime: InferenceRuntime;
  readonly journal: Journal;
  readonly clock: Clock;
}) {
  const { runtime, journal, clock } = deps;
  const live = new Map<string, GenerationSource>();
  const running = new Set<Promise<void>>();

  return {
    /** Begins and returns at once, also when it has to queue. */
    async start(request: GenerateRequest, caller: Caller): Promise<GenerationSource> {
      const ref = modelRef(caller.viewer.tenant, request);
      const priority = priorityOf(request.priority);
      const deadline = deadlineOf(request.deadlineMs, 600_000);
      const version = await runtime.resolve(ref);
      const id = `gen_${newId()}`;
      const aborter = new AbortController();
      const source: GenerationSource = {
        id,
        tenant: caller.viewer.tenant,
        principalId: caller.viewer.id,
        at: clock(),
        live: new LiveGeneration({ id, version, aborter }),
      };
      live.set(id, source);
      const events = runtime.generate(
        { tenant: ref.tenant, model: ref.model, version: version.number },
        settingsOf(request),
        { requestId: id, tenant: ref.tenant, priority, ...deadline, signal: aborter.signal },
      );
      const run = source.live
        .run(events)
        .then(() => settle(source, version.model, caller.correlationId))
        .finally(() => running.delete(run));
      running.add(run);
      return source;
    },

    follow(options: {
      source: GenerationSource;
      from: number;
      signal: AbortSignal;
      cancelOnLeave: boolean;
    }): AsyncIterableIterator<FollowedToken<GenerationSource>> {
      const { source, from, signal, cancelOnLeave } = options;
      return follow({
        source,
        from,
        signal,
        ...(cancelOnLeave ? { onLeave: () => source.live.cancel() } : {}),
      });
    },

    /** Throws GENERATION_NOT_FOUND for one that is absent or another tenant's. */
    async get(tenant: string, id: string): Promise<GenerationSource> {
      const found = await find(tenant, id);
      if (!found) throw generationNotFound({ generation: id });
      return found;
    },

    find,

    /** Stops all of them and, for a moment, waits until what they have produced is in the journal. */
    async [Symbol.asyncDispose](): Promise<void> {
      for (const source of live.values()) source.live.cancel();
      const patience = new AbortController();
      await Promise.race([Promise.all(running), sleep(stopPatienceMs, patience.signal)]);
      patience.abort();
    },
  };

  async function find(tenant: string, id: string): Promise<GenerationSource | undefined> {
    const known = live.get(id);
    if (known) return known.tenant === tenant ? known : undefined;
    const row = await journal.findGeneration(tenant, id);
    return row && revived(row);
  }

  function settle(source: GenerationSource, model: string, correlationId: string): void {
    const item = itemOf(source, model);
    const { tenant } = source;
    journal.record({ tenant, correlationId, item, generation: rowOf(source) });
    setTimeout(() => live.delete(source.id), lingerMs).unref();
  }

  function itemOf(source: GenerationSource, model: string): ServedItem {
    const { live: generation, principalId, at, id } = source;
    const { version, usage, end, failure } = generation;
    const queueMs = end?.timing?.queueMs ?? 0;
    const totalMs = end?.timing?.totalMs ?? Math.max(0, clock().getTime() - at.getTime());
    return {
      kind: 'GENERATION',
      id,
      modelId: version.modelId,
      model,
      versionId: version.versionId,
      principalId,
      at: at.toISOString(),
      outcome: outcomeOf(failure),
      queueMs,
      computeMs: Math.max(0, totalMs - queueMs),
      totalMs,
      ...usage,
      ...(end?.timing ? { batchSize: end.timing.meanBatchSize } : {}),
      ...(typeof end?.timing?.timeToFirstTokenMs === 'number'
        ? { timeToFirstTokenMs: end.timing.timeToFirstTokenMs }
        : {}),
    };
  }

  function rowOf({ id, tenant, principalId, at, live: generation }: GenerationSource) {
    const { version, pieces, text, usage, end } = generation;
    return {
      id,
      tenant,
      model_id: version.modelId,
      version_id: version.versionId,
      principal_id: principalId,
      at,
      state: end ? ('FINISHED' as const) : ('FAILED' as const),
      pieces,
      text,
      finish_reason: end?.reason ?? 'ERROR',
      prompt_tokens: usage.promptTokens,
      completion_tokens: usage.completionTokens,
      timing: end?.timing ?? null,
    } satisfies GenerationRow;
  }
}

export type Generations = ReturnType<typeof generations>;

function revived(row: GenerationRow): GenerationSource {
  return {
    id: row.id,
    tenant: row.tenant,
    principalId: row.principal_id,
    at: row.at,
    live: LiveGeneration.revive(row),
  };
}

function outcomeOf(failure: unknown): string {
  if (failure === undefined) return 'OK';
  return failure instanceof PlatformError ? failure.kind.code : 'INTERNAL_ERROR';
}

function settingsOf(request: GenerateRequest): GenerateOptions {
  const { prompt, maxTokens, temperature, topK, topP, minP, repetitionPenalty, seed, stop } =
    request;
  const settings = { maxTokens, temperature, topK, topP, minP, repetitionPenalty, seed };
  const given = Object.entries(settings).filter(
    ([, value]) => value !== undefined && value !== null,
  );
  return { prompt, ...Object.fromEntries(given), ...(stop.length > 0 ? { stop } : {}) };
}
