import { bytes, flag, loadConfig, millis, port, secret } from '@opea/kernel/config';
import { z } from 'zod';
import { defaultGeneratorConfig, type GeneratorConfig } from './generation/index.ts';
import { type BatchPolicy, defaultBatchPolicy } from './scheduling/policy.ts';

/** How a runtime behaves; what is left out has the default. */
export interface RuntimeConfig {
  /** Engine workers; workers × threads must not exceed the cores. */
  readonly workers: number;
  /** Intra-op threads of each worker. */
  readonly threadsPerWorker: number;
  /** Budget for models in memory, bytes. */
  readonly memoryBytes: number;
  /** Batching of models that have no policy of their own. */
  readonly batching: BatchPolicy;
  /** Instances of each tensor model, each in a worker of its own. */
  readonly instances: number;
  readonly isolation: 'thread' | 'process';
  /** A worker process that takes more resident memory than this is killed and replaced, bytes. Only with `process`. */
  readonly processMemoryBytes: number;
  /** How decoders are run. */
  readonly generation: GeneratorConfig;
  /** Deadline of a prediction that names none, ms. */
  readonly predictTimeoutMs: number;
  readonly loadTimeoutMs: number;
  /** How long a version that failed to load is left alone, ms. */
  readonly retryLoadAfterMs: number;
  /** How long an unload or a stop waits for the requests that run, ms. */
  readonly drainMs: number;
  /** How long a reference to something unknown may wait for the registry's event, ms. */
  readonly catalogueWaitMs: number;
  /** Memory for answers to repeated requests, bytes; 0 remembers none. Only for models that are deterministic. */
  readonly resultCacheBytes: number;
  /** Whether equal requests of a tenant that are under way at once share one execution. */
  readonly coalesce: boolean;
  /** Which model, by name, answers when a model cannot. */
  readonly fallbacks: Readonly<Record<string, string>>;
  /** `model` names or ids that are never evicted. */
  readonly pinned: readonly string[];
}

/** Two workers keep a decoder's steps from waiting behind a large batch; the cores are shared between them. */
export function defaultRuntimeConfig(cores: number): RuntimeConfig {
  const workers = cores > 1 ? 2 : 1;
  return {
    workers,
    threadsPerWorker: Math.max(1, Math.floor(cores / workers)),
    memoryBytes: 4 * 1024 ** 3,
    batching: defaultBatchPolicy,
    instances: 1,
    isolation: 'thread',
    processMemoryBytes: 8 * 1024 ** 3,
    generation: defaultGeneratorConfig,
    predictTimeoutMs: 30_000,
    loadTimeoutMs: 120_000,
    retryLoadAfterMs: 10_000,
    drainMs: 30_000,
    catalogueWaitMs: 500,
    resultCacheBytes: 0,
    coalesce: false,
    fallbacks: {},
    pinned: [],
  };
}

/** The environment of a runtime process; the documentation is generated from it. */
export const runtimeShape = (cores: number) => {
  const defaults = defaultRuntimeConfig(cores);
  return {
    PORT: port(4010).describe('Port of the runtime protocol'),
    HOST: z.string().default('127.0.0.1').describe('Address to listen on'),
    RUNTIME_TOKEN: secret()
      .optional()
      .describe('What clients must send as `authorization: Bearer …`'),
    RUNTIME_MAX_REQUEST: bytes(64 * 1024 ** 2).describe('Largest request'),
    NATS_URL: z.string().default('nats://127.0.0.1:4222').describe('The event bus'),
    OBJECTS_FOLDER: z
      .string()
      .optional()
      .describe('Model files in a folder; without it they come from S3'),
    S3_URL: z.url().optional().describe('The S3 server; AWS itself without it'),
    S3_BUCKET: z.string().default('opea').describe('The bucket of model files'),
    S3_ACCESS_KEY: z.string().default('').describe('Access key of the S3 server'),
    S3_SECRET_KEY: secret().optional().describe('Secret key of the S3 server'),
    LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
    OTLP_URL: z.url().optional().describe('An OTLP/HTTP collector for traces'),
    RUNTIME_WORKERS: z.coerce
      .number()
      .int()
      .positive()
      .default(defaults.workers)
      .describe('Engine workers'),
    RUNTIME_THREADS: z.coerce
      .number()
      .int()
      .positive()
      .default(defaults.threadsPerWorker)
      .describe('Intra-op threads of each engine worker'),
    RUNTIME_MEMORY: bytes(defaults.memoryBytes).describe('Budget for models in memory'),
    RUNTIME_MAX_BATCH: z.coerce
      .number()
      .int()
      .positive()
      .default(defaults.batching.maxBatch)
      .describe('Largest execution, rows'),
    RUNTIME_MAX_DELAY_MS: z.coerce
      .number()
      .nonnegative()
      .default(defaults.batching.maxDelayMs)
      .describe('Longest wait for batch-mates while a worker is idle, ms'),
    RUNTIME_MAX_QUEUED_ROWS: z.coerce
      .number()
      .int()
      .positive()
      .default(defaults.batching.maxQueuedRows)
      .describe('Bound of each model queue, rows'),
    RUNTIME_ISOLATION: z
      .enum(['thread', 'process'])
      .default('thread')
      .describe('`process` keeps a native crash from taking the service with it'),
    RUNTIME_PROCESS_MEMORY: bytes(defaults.processMemoryBytes).describe(
      'A worker process that takes more is killed and replaced',
    ),
    RUNTIME_PREDICT_TIMEOUT_MS: millis(defaults.predictTimeoutMs).describe(
      'Deadline of a prediction that names none',
    ),
    RUNTIME_LOAD_TIMEOUT_MS: millis(defaults.loadTimeoutMs).describe('Deadline of a load'),
    RUNTIME_CACHE_FOLDER: z
      .string()
      .default('.opea/runtime')
      .describe('Where model files are kept on this node'),
    RUNTIME_RESULT_CACHE: bytes(defaults.resultCacheBytes).describe(
      'Memory for answers to repeated predictions; 0 remembers none',
    ),
    RUNTIME_COALESCE: flag(defaults.coalesce).describe(
      'Whether equal predictions under way at once share one execution',
    ),
    RUNTIME_FALLBACKS: z
      .string()
      .default('')
      .describe('Which model answers when another cannot: `big=small,other=third`'),
    RUNTIME_PINNED: z
      .string()
      .default('')
      .describe('Models that are never evicted, separated by commas'),
  };
};

/** Reads the runtime's settings from the environment; `cores` decides the default of workers and threads. */
export function readConfig(env: Readonly<Record<string, string | undefined>>, cores: number) {
  const read = loadConfig(runtimeShape(cores), env);
  const runtime: RuntimeConfig = {
    ...defaultRuntimeConfig(cores),
    workers: read.RUNTIME_WORKERS,
    threadsPerWorker: read.RUNTIME_THREADS,
    memoryBytes: read.RUNTIME_MEMORY,
    isolation: read.RUNTIME_ISOLATION,
    processMemoryBytes: read.RUNTIME_PROCESS_MEMORY,
    predictTimeoutMs: read.RUNTIME_PREDICT_TIMEOUT_MS,
    loadTimeoutMs: read.RUNTIME_LOAD_TIMEOUT_MS,
    pinned: read.RUNTIME_PINNED.split(',').filter((name) => name !== ''),
    resultCacheBytes: read.RUNTIME_RESULT_CACHE,
    coalesce: read.RUNTIME_COALESCE,
    fallbacks: Object.fromEntries(
      read.RUNTIME_FALLBACKS.split(',').flatMap((pair) => {
        const [model, fallback] = pair.split('=');
        return model && fallback ? [[model.trim(), fallback.trim()]] : [];
      }),
    ),
    batching: {
      ...defaultBatchPolicy,
      maxBatch: read.RUNTIME_MAX_BATCH,
      maxDelayMs: read.RUNTIME_MAX_DELAY_MS,
      maxQueuedRows: read.RUNTIME_MAX_QUEUED_ROWS,
    },
  };
  const { host, ...rest } = {
    host: read.HOST,
    port: read.PORT,
    token: read.RUNTIME_TOKEN,
    maxRequestBytes: read.RUNTIME_MAX_REQUEST,
    cacheFolder: read.RUNTIME_CACHE_FOLDER,
    natsUrl: read.NATS_URL,
    objectsFolder: read.OBJECTS_FOLDER,
    s3: {
      url: read.S3_URL,
      bucket: read.S3_BUCKET,
      accessKey: read.S3_ACCESS_KEY,
      secretKey: read.S3_SECRET_KEY ?? '',
    },
    logLevel: read.LOG_LEVEL,
    otlpUrl: read.OTLP_URL,
  };
  if (rest.token === undefined && !['127.0.0.1', '::1', 'localhost'].includes(host))
    throw new Error('RUNTIME_TOKEN must be set when the runtime listens beyond this machine');
  return { runtime, host, ...rest };
}
