import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startWorkerPool } from '@opea/inference-runtime/engines';
import type { Generator, GeneratorConfig } from '@opea/inference-runtime/generation';
import { createGenerator, defaultGeneratorConfig } from '@opea/inference-runtime/generation';
import { openTinyGenerator, tinyVersion } from '@opea/inference-runtime/testing';
import { machineTiming } from '@opea/inference-runtime/timing';
import { silentLogger } from '@opea/kernel/log';
import { createMetrics } from '@opea/kernel/metrics';

/** The storyteller's dimensions with random weights: speed does not depend on what a model learned. */
export const storytellerShape = {
  vocab: 4096,
  context: 512,
  layers: 6,
  width: 320,
  heads: 10,
  kvHeads: 2,
  headDim: 32,
  hidden: 1280,
} as const;

export interface BenchArguments {
  /** Folder with `model.onnx` and `tokenizer.json`; without it a random model. */
  readonly model: string | undefined;
  readonly weights: 'fp32' | 'int8';
  readonly threads: number;
  readonly requests: number;
  readonly rounds: number;
}

/** `--model <folder> --weights fp32|int8 --threads 2 --requests 96 --rounds 3` */
export function benchArguments(): BenchArguments {
  const { values } = parseArgs({
    options: {
      model: { type: 'string' },
      weights: { type: 'string', default: 'fp32' },
      threads: { type: 'string', default: '2' },
      requests: { type: 'string', default: '96' },
      rounds: { type: 'string', default: '3' },
    },
  });
  return {
    model: values.model,
    weights: values.weights === 'int8' ? 'int8' : 'fp32',
    threads: Number(values.threads),
    requests: Number(values.requests),
    rounds: Number(values.rounds),
  };
}

export interface BenchModel extends AsyncDisposable {
  readonly generator: Generator;
}

export async function openBenchModel(
  { model, weights, threads }: BenchArguments,
  config: Partial<GeneratorConfig>,
): Promise<BenchModel> {
  if (model === undefined)
    return await openTinyGenerator({ decoder: { ...storytellerShape, weights }, config, threads });

  const pool = startWorkerPool({
    workers: 1,
    threadsPerWorker: threads,
    logger: silentLogger,
    now: () => performance.now(),
  });
  const generator = await createGenerator({
    version: tinyVersion,
    files: ['model.onnx', 'tokenizer.json'].map((name) => ({ name, path: join(model, name) })),
    pool,
    config: { ...defaultGeneratorConfig, ...config },
    timing: machineTiming,
    logger: silentLogger,
    metrics: createMetrics(),
  });
  return {
    generator,
    async [Symbol.asyncDispose]() {
      await generator[Symbol.asyncDispose]();
      await pool[Symbol.asyncDispose]();
    },
  };
}
