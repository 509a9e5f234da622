import type { TokenConstraint } from '../constraint/token-constraint.ts';
import type { TextStream } from '../text/text-stream.ts';
import type { DecodeOutcome, DecodeRequest } from './decoder-messages.ts';
import type { KvBlock } from './kv-lane.ts';

/** One generation inside the worker. */
export interface Sequence {
  readonly request: DecodeRequest;
  readonly prompt: readonly number[];
  readonly text: TextStream;
  /** What the answer must look like. */
  readonly constraint: TokenConstraint | undefined;
  /** Tokens of prompt and answer, each once. */
  readonly seen: Set<number>;
  readonly resolve: (outcome: DecodeOutcome) => void;
  readonly reject: (reason: Error) => void;
  /** When it came into the worker, monotonic milliseconds. */
  readonly arrived: number;
  /** Prompt tokens whose keys and values exist. */
  prefilled: number;
  lastToken: number;
  completionTokens: number;
  /** Steps this sequence decoded in, and the sum of their batch sizes. */
  steps: number;
  batchSizes: number;
  cancelled: boolean;
  paused: boolean;
  /** Keys and values while it is paused. */
  parked: KvBlock | undefined;
  /** Its keys and values may hold NaN. */
  spoilt: boolean;
}

/** The size of the next prompt run: whole chunks first, then the smallest power of two ≥ 8 that holds the rest. */
export function nextChunk(sequence: Sequence, prefillChunk: number): number {
  const left = sequence.prompt.length - sequence.prefilled;
  let chunk = 8;
  while (chunk < left && chunk < prefillChunk) chunk *= 2;
  return Math.min(chunk, prefillChunk);
}
