import { createCandidates } from './candidates.ts';
import { randomAt } from './random.ts';
import type { SamplingParameters } from './sampling-parameters.ts';

export interface SampledToken {
  readonly tokenId: number;
  /** Natural logarithm of the token's probability by the model's own scores, before any parameter changed them. */
  readonly logprob: number;
}

/** What the model says about the next token of one sequence. */
export interface Scores {
  /** One for each token of the vocabulary. */
  readonly logits: Float32Array;
  /** Their natural log-probabilities. */
  readonly logprobs: Float32Array;
  /** The token with the highest score; of equals, the lowest id. */
  readonly likeliest: number;
}

export interface SampleRequest {
  readonly scores: Scores;
  readonly parameters: SamplingParameters;
  /** Tokens of the prompt and the answer so far, each once. Read only under a repetition penalty. */
  readonly seen: Iterable<number>;
  /** Place of the token in the answer: picks the random number. */
  readonly index: number;
  /** 1 for each token that may come next; without it all may. */
  readonly allowed?: Uint8Array | undefined;
}

export interface TokenSampler {
  /** Undefined when the scores hold NaN or +∞, or when no token is allowed. */
  sample(request: SampleRequest): SampledToken | undefined;
}

/**
 * Chooses tokens. Order: logit bias, repetition penalty, allowed tokens, temperature, min-p, top-k, top-p, draw. Pure: the
 * same request gives the same token. The buffers inside are reused between calls.
 */
export function createTokenSampler(vocab: number): TokenSampler {
  const adjusted = new Float32Array(vocab);
  const candidates = createCandidates(vocab);

  return {
    sample(request) {
      const { scores, parameters, index } = request;
      const { logits, logprobs, likeliest } = scores;
      if (!Number.isFinite(logprobs[likeliest])) return undefined;
      const sampled = (tokenId: number) => ({ tokenId, logprob: logprobs[tokenId] ?? Number.NaN });

      const asIs = isAsIs(request);
      if (asIs && parameters.temperature === 0) return sampled(likeliest);
      if (!asIs) adjust(adjusted, request);
      const chosenFrom = asIs ? logits : adjusted;
      const top = asIs ? likeliest : highest(adjusted);
      const max = chosenFrom[top] ?? Number.NEGATIVE_INFINITY;
      if (max === Number.NEGATIVE_INFINITY) return undefined;
      if (parameters.temperature === 0) return sampled(top);

      candidates.fill(chosenFrom, { max, ...parameters });
      if (parameters.topP < 1) candidates.keepShare(parameters.topP);
      return sampled(candidates.at(randomAt(parameters.seed, index)));
    },
  };
}

function isAsIs({ parameters: { repetitionPenalty, logitBias }, allowed }: SampleRequest): boolean {
  return repetitionPenalty === 1 && logitBias.size === 0 && allowed === undefined;
}

function highest(scores: Float32Array): number {
  let best = 0;
  let max = scores[0] ?? Number.NaN;
  for (let id = 1; id < scores.length; id++) {
    const score = scores[id] ?? 0;
    if (score > max) {
      max = score;
      best = id;
    }
  }
  return best;
}

function adjust(target: Float32Array, { scores, parameters, seen, allowed }: SampleRequest): void {
  const { logitBias, repetitionPenalty } = parameters;
  target.set(scores.logits);
  for (const [id, bias] of logitBias) target[id] = (target[id] ?? 0) + bias;
  if (repetitionPenalty !== 1)
    for (const id of seen) {
      const score = target[id] ?? 0;
      target[id] = score < 0 ? score * repetitionPenalty : score / repetitionPenalty;
    }
  if (allowed !== undefined)
    for (let id = 0; id < target.length; id++)
      if (allowed[id] !== 1) target[id] = Number.NEGATIVE_INFINITY;
}
