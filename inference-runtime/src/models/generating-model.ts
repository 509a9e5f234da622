import type { Logger } from '@opea/kernel/log';
import type { Metrics } from '@opea/kernel/metrics';
import type { GenerateOptions, GenerationEvent } from '@opea/schema/runtime';
import type { ModelFile } from '../engines/engine.ts';
import type { WorkerPool } from '../engines/worker-pool.ts';
import type { Timing } from '../timing/timing.ts';

/** A loaded decoder. `src/generation` implements it; the runtime adds the version that answered. */
export interface GeneratingModel extends AsyncDisposable {
  /** Resident size, bytes: weights and the reserved key/value cache. */
  readonly bytes: number;
  /** Sequences that wait or generate. */
  readonly active: number;
  /** Throws OVERLOADED, DEADLINE_EXCEEDED, CANCELLED, INVALID_INPUT, WORKER_CRASHED; leaving the iteration frees the slot. */
  generate(
    generation: GenerateOptions,
    options: GenerationRequest,
  ): AsyncIterable<UnversionedGenerationEvent>;
  /** Takes nothing new and resolves when the last sequence has ended. */
  drain(): Promise<void>;
}

export interface GenerationRequest {
  readonly requestId: string;
  readonly tenant: string;
  /** 1 is served first, 3 last. */
  readonly priority: number;
  readonly deadlineMs?: number;
  readonly signal: AbortSignal;
}

export type UnversionedGenerationEvent =
  | Omit<Extract<GenerationEvent, { type: 'started' }>, 'version'>
  | Extract<GenerationEvent, { type: 'token' | 'finished' }>;

/** Opens a decoder version in a worker of the pool. Files: `model.onnx`, `tokenizer.json`, `generation.json`. */
export type OpenGeneratingModel = (options: {
  /** For logs, errors and metrics, for example `storyteller@2`. */
  readonly name: string;
  readonly files: readonly ModelFile[];
  readonly pool: WorkerPool;
  readonly timing: Timing;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
}) => Promise<GeneratingModel>;
