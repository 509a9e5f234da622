import type { Generator } from '@opea/inference-runtime/generation';
import type { GenerationEvent } from '@opea/schema/runtime';

export interface Work {
  readonly prompt: string;
  readonly maxTokens: number;
  readonly seed: number;
}

/** Requests with prompts of 2 to 6 words and answers of exponentially distributed length, the same every time. */
export function workload(count: number, meanTokens: number): Work[] {
  const random = generatorOf(99);
  const words = [
    'the',
    'old',
    'king',
    'went',
    'into',
    'a',
    'forest',
    'and',
    'found',
    'his',
    'song',
  ];
  return Array.from({ length: count }, (_, seed) => ({
    seed,
    prompt: Array.from(
      { length: 2 + Math.floor(random() * 5) },
      () => words[Math.floor(random() * words.length)],
    ).join(' '),
    maxTokens: Math.max(4, Math.min(180, Math.round(-meanTokens * Math.log(1 - random())))),
  }));
}

export interface Answer {
  readonly tokens: number;
  readonly timeToFirstTokenMs: number;
  /** Times between tokens as the reader saw them, milliseconds. */
  readonly gaps: readonly number[];
  readonly text: string;
}

/** Reads an answer to its end. The end token is ruled out, so that the length is what was asked for. */
export async function read(
  generator: Generator,
  { prompt, maxTokens, seed }: Work,
): Promise<Answer> {
  const gaps: number[] = [];
  let end: Extract<GenerationEvent, { type: 'finished' }> | undefined;
  let last: number | undefined;
  const options = {
    prompt,
    maxTokens,
    seed,
    temperature: 0.8,
    topK: 50,
    topP: 0.95,
    logitBias: { 0: -100 },
  };
  const request = {
    requestId: String(seed),
    tenant: 'bench',
    signal: new AbortController().signal,
  };
  for await (const event of generator.generate(options, request)) {
    if (event.type === 'finished') end = event;
    if (event.type !== 'token') continue;
    const now = performance.now();
    if (last !== undefined) gaps.push(now - last);
    last = now;
  }
  if (end === undefined) throw new Error('The answer has no end');
  return {
    tokens: end.usage.completionTokens,
    timeToFirstTokenMs: end.timing.timeToFirstTokenMs ?? 0,
    gaps,
    text: end.text,
  };
}

/** Runs `work` with `width` answers under way at any time. */
export async function keepBusy<Value>(
  work: readonly Work[],
  width: number,
  run: (work: Work) => Promise<Value>,
): Promise<Value[]> {
  const results: Value[] = [];
  const left = work.entries();
  const lane = async () => {
    for (const [index, one] of left) results[index] = await run(one);
  };
  await Promise.all(Array.from({ length: width }, lane));
  return results;
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

function generatorOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
