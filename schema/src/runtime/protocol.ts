import type { Check } from '@opea/kernel/health';

/** The datatypes of the Open Inference Protocol v2. */
export type Datatype =
  | 'BOOL'
  | 'INT8'
  | 'INT16'
  | 'INT32'
  | 'INT64'
  | 'UINT8'
  | 'UINT16'
  | 'UINT32'
  | 'UINT64'
  | 'FP16'
  | 'FP32'
  | 'FP64'
  | 'BYTES';

/** Flat and row-major. BOOL and UINT8 are bytes, FP16 is its bits, BYTES are strings. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | readonly string[];

export interface Tensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

export interface TensorSpec {
  readonly name: string;
  readonly datatype: Datatype;
  /** A number, or the name of a free dimension. */
  readonly shape: readonly (number | string)[];
}

/** Which version is meant: a number, an alias, or the alias `production`. */
export interface ModelRef {
  readonly tenant: string;
  readonly model: string;
  readonly alias?: string;
  readonly version?: number;
}

export interface ServedVersion {
  readonly versionId: string;
  readonly modelId: string;
  readonly model: string;
  readonly number: number;
  readonly kind: 'TENSOR' | 'DECODER';
  readonly state: 'UNLOADED' | 'LOADING' | 'READY' | 'FAILED';
  /** Why it failed. */
  readonly reason?: string;
  readonly signature: {
    readonly inputs: readonly TensorSpec[];
    readonly outputs: readonly TensorSpec[];
  };
}

export interface RequestOptions {
  readonly requestId: string;
  readonly tenant: string;
  /** 1 is served first, 3 last; 2 without it. */
  readonly priority?: number;
  /** Refused or dropped when it cannot be answered in this many ms. */
  readonly deadlineMs?: number;
  readonly signal: AbortSignal;
}

export type DispatchReason = 'FULL' | 'PREFERRED' | 'DELAY' | 'IDLE' | 'DEADLINE' | 'DRAIN';

/** How an answer came to be: by running, from an equal request before or beside it, or from the model named as fallback. */
export type AnswerOrigin = 'EXECUTED' | 'CACHED' | 'COALESCED' | 'FALLBACK';

export interface PredictResult {
  readonly version: ServedVersion;
  readonly outputs: readonly Tensor[];
  /** EXECUTED when it is left out. `batch` then tells of the execution that made the answer. */
  readonly origin?: AnswerOrigin;
  readonly timing: {
    readonly queueMs: number;
    readonly computeMs: number;
    readonly totalMs: number;
  };
  readonly batch: {
    /** Rows in the execution. */
    readonly size: number;
    readonly reason: DispatchReason;
    readonly executionId: string;
  };
}

/** What is left out, the model's `generation.json` decides. */
export interface GenerateOptions {
  readonly prompt: string;
  readonly maxTokens?: number;
  /** 0 always takes the likeliest token. */
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly repetitionPenalty?: number;
  readonly seed?: number;
  readonly stop?: readonly string[];
}

export type FinishReason = 'STOP' | 'LENGTH' | 'CANCELLED' | 'ERROR';

/** `started` once, then `token` with index 0, 1, 2 …, then `finished` once. Failures throw instead. */
export type GenerationEvent =
  | {
      readonly type: 'started';
      readonly version: ServedVersion;
      readonly promptTokens: number;
      readonly queueMs: number;
    }
  | {
      readonly type: 'token';
      readonly index: number;
      /** Whole characters only; may be empty. */
      readonly text: string;
      readonly tokenId: number;
      readonly logprob: number;
    }
  | {
      readonly type: 'finished';
      readonly reason: FinishReason;
      readonly text: string;
      readonly usage: { readonly promptTokens: number; readonly completionTokens: number };
      readonly timing: {
        readonly queueMs: number;
        readonly timeToFirstTokenMs: number | null;
        readonly totalMs: number;
        readonly tokensPerSecond: number;
      };
      /** How many sequences shared a step, on average. */
      readonly batch: { readonly meanSize: number };
    };

/** What the inference subgraph asks of a runtime, in this process or in another. */
export interface InferenceRuntime extends AsyncDisposable {
  resolve(ref: ModelRef): Promise<ServedVersion>;
  predict(
    ref: ModelRef,
    inputs: readonly Tensor[],
    options: RequestOptions,
  ): Promise<PredictResult>;
  generate(
    ref: ModelRef,
    generation: GenerateOptions,
    options: RequestOptions,
  ): AsyncIterable<GenerationEvent>;
  models(tenant?: string): Promise<readonly ServedVersion[]>;
  ready(): Promise<readonly Check[]>;
}
