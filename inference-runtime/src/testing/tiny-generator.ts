import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@opea/kernel/log';
import { createMetrics } from '@opea/kernel/metrics';
import type { ServedVersion } from '@opea/schema/runtime';
import { startWorkerPool, type WorkerPool } from '../engines/worker-pool.ts';
import type { Generator, GeneratorConfig } from '../generation/index.ts';
import { createGenerator, defaultGeneratorConfig } from '../generation/index.ts';
import { machineTiming } from '../timing/timing.ts';
import { type TinyDecoderOptions, tinyDecoder } from './tiny-decoder.ts';
import { tinyTokenizer } from './tiny-tokenizer.ts';

export interface TinyGeneratorOptions {
  readonly decoder?: TinyDecoderOptions;
  /** The decoder's file; default: one made from `decoder`. */
  readonly model?: Uint8Array;
  /** `tokenizer.json`; default: the tiny one. */
  readonly tokenizer?: string;
  readonly config?: Partial<GeneratorConfig>;
  readonly threads?: number;
  /** Contents of `generation.json`. */
  readonly defaults?: object;
  /** Where the worker comes from; default: a pool with one thread. */
  readonly pool?: WorkerPool;
}

export const tinyVersion: ServedVersion = {
  versionId: 'ver_tiny',
  modelId: 'mdl_tiny',
  model: 'tiny',
  number: 1,
  kind: 'DECODER',
  state: 'READY',
  signature: { inputs: [], outputs: [] },
};

export interface TinyGenerator extends AsyncDisposable {
  readonly generator: Generator;
  readonly metrics: ReturnType<typeof createMetrics>;
  readonly folder: string;
}

/** A generator over a random decoder in a real worker. */
export async function openTinyGenerator({
  decoder = {},
  model,
  tokenizer,
  config = {},
  threads = 1,
  defaults,
  pool: givenPool,
}: TinyGeneratorOptions = {}): Promise<TinyGenerator> {
  const folder = await mkdtemp(join(tmpdir(), 'tiny-generator-'));
  const { json, vocab, eos } = tinyTokenizer();
  const contents = {
    'model.onnx': model ?? tinyDecoder({ vocab, eos, ...decoder }),
    'tokenizer.json': tokenizer ?? json,
    ...(defaults && { 'generation.json': JSON.stringify(defaults) }),
  };
  const files = Object.keys(contents).map((name) => ({ name, path: join(folder, name) }));
  await Promise.all(
    Object.entries(contents).map(([name, data]) => writeFile(join(folder, name), data)),
  );
  const pool = givenPool ?? oneWorker(threads);
  const metrics = createMetrics();
  const generator = await createGenerator({
    version: tinyVersion,
    files,
    pool,
    config: { ...defaultGeneratorConfig, ...config },
    timing: machineTiming,
    logger: silentLogger,
    metrics,
  });

  return {
    generator,
    metrics,
    folder,
    async [Symbol.asyncDispose]() {
      await generator[Symbol.asyncDispose]();
      await pool[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function oneWorker(threads: number): WorkerPool {
  return startWorkerPool({
    workers: 1,
    threadsPerWorker: threads,
    logger: silentLogger,
    now: () => performance.now(),
  });
}
