import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Logger } from '@opea/kernel/log';
import type { Metrics } from '@opea/kernel/metrics';
import type { GenerationEvent, RequestOptions, ServedVersion } from '@opea/schema/runtime';
import type { ModelFile } from '../engines/engine.ts';
import type { ProgramHandle } from '../engines/worker-host.ts';
import type { WorkerPool } from '../engines/worker-pool.ts';
import { modelRefused } from '../errors.ts';
import type { Timing } from '../timing/timing.ts';
import type { DecoderInfo, DecoderInit } from './decoder/decoder-messages.ts';
import { createDispatcher } from './dispatcher.ts';
import { generationMetrics } from './generation-metrics.ts';
import type { GeneratorConfig } from './generator-config.ts';
import type { GenerationOptions } from './sampling/generation-options.ts';
import {
  parseGenerationDefaults,
  parseGenerationOptions,
  plainDefaults,
} from './sampling/generation-options.ts';

export interface GeneratorOptions {
  readonly version: ServedVersion;
  /** The version's files: `model.onnx`, `tokenizer.json` and perhaps `generation.json`, already verified. */
  readonly files: readonly Pick<ModelFile, 'name' | 'path'>[];
  readonly pool: Pick<WorkerPool, 'open'>;
  /** `process` survives an abort of the native runtime. Default `thread`. */
  readonly isolation?: 'thread' | 'process';
  readonly config: GeneratorConfig;
  readonly timing: Timing;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Seed of a request that brings none. */
  readonly randomSeed?: () => number;
}

export interface GeneratorStats {
  /** Sequences that hold a slot in the worker. */
  readonly running: number;
  /** Requests that wait for a slot. */
  readonly waiting: number;
  readonly slots: number;
  /** Positions with keys and values, of `kvCapacity`. */
  readonly kvPositions: number;
  readonly kvCapacity: number;
  readonly prefixCacheBytes: number;
  /** Steps so far, and the time they spent inside the model, milliseconds. */
  readonly steps: number;
  readonly modelMs: number;
}

/** Text generation with one loaded decoder. */
export interface Generator extends AsyncDisposable {
  readonly info: DecoderInfo;
  /**
   * Events as the protocol promises them. Nothing happens before the first is asked for. Throws INVALID_INPUT, OVERLOADED,
   * DEADLINE_EXCEEDED, CONSUMER_STALLED, WORKER_CRASHED, NON_FINITE_OUTPUT or EXECUTION_FAILED; an aborted signal ends with
   * reason CANCELLED. Leaving the loop cancels.
   */
  generate(options: GenerationOptions, request: RequestOptions): AsyncIterable<GenerationEvent>;
  stats(): GeneratorStats;
}

/** Loads a decoder into a worker. Rejects with MODEL_REFUSED when its files are not a decoder's. */
export async function createGenerator(options: GeneratorOptions): Promise<Generator> {
  const { version, config, timing, logger, metrics } = options;
  const name = `${version.model}@${version.number}`;
  const defaults = await readDefaults(options, name);
  const handle: ProgramHandle<DecoderInfo> = await options.pool.open<DecoderInfo>(
    { program: 'decoder', name, init: initOf(options, name) },
    options.isolation ? { isolation: options.isolation } : {},
  );
  const { info } = handle;
  if (!info.batchInvariant)
    logger.warn({ model: name }, 'this model scores differently in a batch than alone');
  const dispatcher = createDispatcher({
    handle,
    version,
    config,
    timing,
    metrics: generationMetrics(metrics, version.model),
    model: name,
  });
  const randomSeed = options.randomSeed ?? (() => randomInt(2 ** 31));

  return {
    info,
    stats: dispatcher.stats,
    generate: (generation, request) => ({
      [Symbol.asyncIterator]: () =>
        dispatcher.open(
          () => ({
            prompt: generation.prompt,
            ...parseGenerationOptions(generation, { defaults, vocab: info.vocab, randomSeed }),
          }),
          request,
        ),
    }),
    async [Symbol.asyncDispose]() {
      dispatcher.close();
      await handle[Symbol.asyncDispose]();
    },
  };
}

function initOf({ files, config }: GeneratorOptions, model: string): DecoderInit {
  const pathOf = (wanted: string) => {
    const file = files.find(({ name }) => name === wanted);
    if (file === undefined) throw modelRefused({ model, reason: `it has no ${wanted}` });
    return file.path;
  };
  return {
    modelPath: pathOf('model.onnx'),
    tokenizerPath: pathOf('tokenizer.json'),
    limits: {
      slots: config.slots,
      context: config.maxContext,
      prefillChunk: config.prefillChunk,
      prefillTokensPerStep: config.prefillTokensPerStep,
      prefixCacheBytes: config.prefixCacheBytes,
    },
  };
}

async function readDefaults({ files }: GeneratorOptions, model: string) {
  const file = files.find(({ name }) => name === 'generation.json');
  if (file === undefined) return plainDefaults;
  try {
    return parseGenerationDefaults(await readFile(file.path, 'utf8'));
  } catch (reason) {
    throw modelRefused({ model, reason: 'its generation.json is not valid' }, reason);
  }
}
