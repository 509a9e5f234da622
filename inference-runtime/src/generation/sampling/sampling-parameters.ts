/** How the next token is chosen from the model's scores. */
export interface SamplingParameters {
  /** 0 takes the likeliest token; above, scores are divided by it before they become probabilities. */
  readonly temperature: number;
  /** Only the `topK` likeliest tokens; 0 is no limit. */
  readonly topK: number;
  /** Only the likeliest tokens that together hold this probability (nucleus sampling, Holtzman et al. 2019); 1 is no limit. */
  readonly topP: number;
  /** Only tokens at least this fraction as likely as the likeliest (Nguyen et al. 2024); 0 is no limit. */
  readonly minP: number;
  /** Divides the scores of tokens seen in prompt or answer (CTRL, Keskar et al. 2019); 1 is no penalty. */
  readonly repetitionPenalty: number;
  /** Added to the scores of single tokens before anything else. */
  readonly logitBias: ReadonlyMap<number, number>;
  /** 32-bit seed of the draws. */
  readonly seed: number;
}

export const greedy: SamplingParameters = {
  temperature: 0,
  topK: 0,
  topP: 1,
  minP: 0,
  repetitionPenalty: 1,
  logitBias: new Map(),
  seed: 0,
};
