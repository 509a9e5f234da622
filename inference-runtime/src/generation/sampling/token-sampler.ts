import { createCandidates } from './candidates.ts';
import { expNonPositive } from './exponential.ts';
import { randomAt } from './random.ts';
import type { SamplingParameters } from './sampling-parameters.ts';

export interface SampledToken {
  readonly tokenId: number;
  /** Natural logarithm of the token's probability by the model's own scores, before any parameter changed them. */
  readonly logprob: number;
}

export interface SampleRequest {
  /** The model's scores, one for each token of the vocabulary. */
  readonly logits: Float32Array;
  readonly parameters: SamplingParameters;
  /** Tokens of the prompt and the answer so far, each once. Read only under a repetition penalty. */
  readonly seen: Iterable<number>;
  /** Place of the token in the answer: picks the random number. */
  readonly index: number;
  /** 1 for each token that may come next; without it all may. */
  readonly allowed?: Uint8Array;
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
    sample({ logits, parameters, seen, index, allowed }) {
      const best = likeliest(logits);
      const normaliser = logSumExp(logits, logits[best] ?? Number.NaN);
      if (!Number.isFinite(normaliser)) return undefined;
      const sampled = (tokenId: number) => ({
        tokenId,
        logprob: (logits[tokenId] ?? Number.NaN) - normaliser,
      });

      const asIs = isAsIs(parameters) && allowed === undefined;
      if (asIs && parameters.temperature === 0) return sampled(best);
      if (!asIs) adjust(adjusted, { logits, parameters, seen, allowed });
      const scores = asIs ? logits : adjusted;
      const top = asIs ? best : likeliest(scores);
      if (scores[top] === Number.NEGATIVE_INFINITY) return undefined;
      if (parameters.temperature === 0) return sampled(top);

      candidates.fill(scores, parameters.temperature);
      if (parameters.minP > 0) candidates.keepAbove(parameters.minP);
      if (parameters.topK > 0) candidates.keepCount(parameters.topK);
      if (parameters.topP < 1) candidates.keepShare(parameters.topP);
      return sampled(candidates.at(randomAt(parameters.seed, index)));
    },
  };
}

function isAsIs({ repetitionPenalty, logitBias }: SamplingParameters): boolean {
  return repetitionPenalty === 1 && logitBias.size === 0;
}

function likeliest(scores: Float32Array): number {
  let best = 0;
  let max = scores[0] ?? Number.NaN;
  for (let id = 1; id < scores.length; id++) {
    const score = scores[id] as number;
    if (score > max) {
      max = score;
      best = id;
    }
  }
  return best;
}

function logSumExp(scores: Float32Array, max: number): number {
  let sum = 0;
  for (let id = 0; id < scores.length; id++) sum += expNonPositive((scores[id] as number) - max);
  return max + Math.log(sum);
}

function adjust(
  target: Float32Array,
  {
    logits,
    parameters: { logitBias, repetitionPenalty },
    seen,
    allowed,
  }: Pick<SampleRequest, 'logits' | 'parameters' | 'seen'> & {
    readonly allowed: Uint8Array | undefined;
  },
): void {
  target.set(logits);
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
