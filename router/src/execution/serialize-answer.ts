import type { GraphAnswer } from '../graph.ts';

const texts = new WeakMap<GraphAnswer, string>();

/** The answer as JSON; one that several clients share is written once. */
export function serializeAnswer(answer: GraphAnswer): string {
  const known = texts.get(answer);
  if (known !== undefined) return known;
  const text = JSON.stringify(answer);
  texts.set(answer, text);
  return text;
}
