import { invalidInput } from '../../errors.ts';
import { jsonSchemaGrammar } from '../constraint/json-schema-grammar.ts';
import type { TokenConstraint, Vocabulary } from '../constraint/token-constraint.ts';
import type { TextCodec } from '../text/text-codec.ts';
import { createTextStream, type TextStream } from '../text/text-stream.ts';
import type { DecodeOutcome, DecodeRequest } from './decoder-messages.ts';
import type { KvBlock } from './kv-lane.ts';

/** One generation inside the worker. */
export interface Sequence {
  readonly request: DecodeRequest;
  readonly prompt: readonly number[];
  readonly text: TextStream;
  /** What the answer must look like. */
  readonly constraint: TokenConstraint | undefined;
  /** Tokens of prompt and answer, each once; empty without a repetition penalty. */
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

export interface SequenceOptions {
  readonly codec: TextCodec;
  readonly context: number;
  readonly vocabulary: () => Vocabulary;
  readonly arrived: number;
}

/** Reads a request; refuses with INVALID_INPUT when its prompt does not fit or its schema is not understood. */
export function readRequest(
  request: DecodeRequest,
  { codec, context, vocabulary, arrived }: SequenceOptions,
): Omit<Sequence, 'resolve' | 'reject'> {
  const prompt = codec.encode(request.prompt);
  if (prompt.length === 0) throw invalidInput({ field: 'prompt', problem: 'holds no token' });
  if (prompt.length >= context)
    throw invalidInput({
      field: 'prompt',
      problem: `has ${prompt.length} tokens; with an answer at most ${context} fit`,
    });

  const { jsonSchema, stop, parameters } = request;
  return {
    request,
    prompt,
    arrived,
    text: createTextStream(codec, stop),
    constraint:
      jsonSchema === undefined ? undefined : vocabulary().constrain(jsonSchemaGrammar(jsonSchema)),
    seen: new Set(parameters.repetitionPenalty === 1 ? [] : prompt),
    prefilled: 0,
    lastToken: 0,
    completionTokens: 0,
    steps: 0,
    batchSizes: 0,
    cancelled: false,
    paused: false,
    parked: undefined,
    spoilt: false,
  };
}

/** The size of the next prompt run: whole chunks first, then the smallest power of two ≥ 8 that holds the rest. */
export function nextChunk({ prompt, prefilled }: Sequence, prefillChunk: number): number {
  const left = prompt.length - prefilled;
  let chunk = 8;
  while (chunk < left && chunk < prefillChunk) chunk *= 2;
  return Math.min(chunk, prefillChunk);
}
