import type { TokenEvent } from '../token-stream.ts';

/** The probability of each taken token as chat completions tell it; no others are known. */
export const chatLogprobs = (tokens: readonly TokenEvent[]) => ({
  content: tokens.flatMap(({ text, logprob }) =>
    logprob === null
      ? []
      : [{ token: text, logprob, bytes: [...Buffer.from(text)], top_logprobs: [] }],
  ),
});

/** The same as completions tell it. `offset` is where the first token begins in the text, in characters. */
export function completionLogprobs(tokens: readonly TokenEvent[], offset: number) {
  const known = tokens.filter(({ logprob }) => logprob !== null);
  let at = offset;
  const offsets = known.map(({ text }) => {
    const start = at;
    at += text.length;
    return start;
  });
  return {
    tokens: known.map(({ text }) => text),
    token_logprobs: known.map(({ logprob }) => logprob),
    top_logprobs: null,
    text_offset: offsets,
  };
}
