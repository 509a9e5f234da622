import type { SamplingParameters } from '../sampling/sampling-parameters.ts';

/** What crosses between the generator in the main process and the decoder in its worker; structured-cloneable. */
export interface DecoderInit {
  /** Path of `model.onnx`, layout `decoder/1`. */
  readonly modelPath: string;
  /** Path of `tokenizer.json`. */
  readonly tokenizerPath: string;
  readonly limits: DecoderLimits;
}

export interface DecoderLimits {
  /** Most sequences that generate at a time. */
  readonly slots: number;
  /** Most tokens of a sequence, prompt and answer; the model's own context when that is less. */
  readonly context: number;
  /** Tokens of a prompt that one run takes; also the block that prompts share. */
  readonly prefillChunk: number;
  /** Most prompt tokens that a step adds to the sequences that generate. */
  readonly prefillTokensPerStep: number;
  /** Most memory for shared prompt beginnings, bytes; 0 shares nothing. */
  readonly prefixCacheBytes: number;
}

export interface DecoderInfo {
  readonly slots: number;
  readonly context: number;
  readonly vocab: number;
  /** Memory reserved for keys and values, bytes. */
  readonly kvBytes: number;
  /** Whether a row's scores were found the same, bit for bit, alone and in a batch. */
  readonly batchInvariant: boolean;
}

export interface DecodeRequest {
  readonly id: number;
  readonly prompt: string;
  readonly parameters: SamplingParameters;
  readonly maxTokens: number;
  readonly stop: readonly string[];
  /** A JSON Schema that the answer must follow. */
  readonly jsonSchema: unknown;
  /** Prompts are shared inside a scope only: the tenant. */
  readonly scope: string;
}

export interface DecodeOutcome {
  readonly reason: 'STOP' | 'LENGTH' | 'CANCELLED';
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Sequences in the step, averaged over the steps of this one. */
  readonly meanBatch: number;
}

export type DecoderEvent =
  | {
      readonly type: 'started';
      readonly id: number;
      readonly promptTokens: number;
      /** Prompt tokens whose keys and values were shared. */
      readonly cachedTokens: number;
      /** How long it waited in the worker for its slot, milliseconds. */
      readonly waitedMs: number;
    }
  | {
      readonly type: 'token';
      readonly id: number;
      readonly index: number;
      readonly tokenId: number;
      readonly logprob: number;
      readonly text: string;
    };

/** What one step of the decoder did. */
export interface StepReport {
  readonly events: readonly DecoderEvent[];
  readonly running: number;
  readonly waiting: number;
  /** Positions whose keys and values are held, of slots × context. */
  readonly kvPositions: number;
  readonly prefixCacheBytes: number;
  /** Prompt tokens computed in this step. */
  readonly promptTokens: number;
  /** Wall time of the step, and of the model runs in it, milliseconds. */
  readonly stepMs: number;
  readonly runMs: number;
}
