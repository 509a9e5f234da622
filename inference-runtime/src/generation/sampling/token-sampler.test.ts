import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expNonPositive } from './exponential.ts';
import { randomAt } from './random.ts';
import type { SamplingParameters } from './sampling-parameters.ts';
import { greedy } from './sampling-parameters.ts';
import type { Scores } from './token-sampler.ts';
import { createTokenSampler } from './token-sampler.ts';

const scoresOf = (values: readonly number[]): Scores => {
  const logits = Float32Array.from(values);
  const max = Math.max(...logits);
  const normaliser = max + Math.log(logits.reduce((sum, x) => sum + Math.exp(x - max), 0));
  return {
    logits,
    logprobs: logits.map((x) => x - normaliser),
    likeliest: logits.indexOf(max),
  };
};

interface Sampling {
  readonly parameters?: Partial<SamplingParameters>;
  readonly seen?: Iterable<number>;
  readonly allowed?: Uint8Array;
  readonly index?: number;
}

function sample(values: readonly number[], { parameters, ...given }: Sampling = {}) {
  const request = { seen: [], index: 0, ...given, parameters: { ...greedy, ...parameters } };
  return createTokenSampler(values.length).sample({ ...request, scores: scoresOf(values) });
}

/** How often each token comes in `draws` draws. */
function frequencies(values: readonly number[], parameters: Partial<SamplingParameters>) {
  const draws = 20_000;
  const counts = values.map(() => 0);
  const sampler = createTokenSampler(values.length);
  const scores = scoresOf(values);
  for (let index = 0; index < draws; index++) {
    const drawn = sampler.sample({
      scores,
      seen: [],
      index,
      parameters: { ...greedy, temperature: 1, seed: 42, ...parameters },
    });
    if (drawn) counts[drawn.tokenId] = (counts[drawn.tokenId] ?? 0) + 1;
  }
  return counts.map((count) => count / draws);
}

const softmax = (values: readonly number[]) => {
  const weights = values.map((value) => Math.exp(value));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
};

describe('choosing a token', () => {
  test('at temperature 0 takes the likeliest, of equals the first', () => {
    expect(sample([1, 3, 2])?.tokenId).toBe(1);
    expect(sample([1, 3, 3])?.tokenId).toBe(1);
  });

  test('tells the log-probability by the scores as the model gave them', () => {
    const drawn = sample([0, Math.log(3)], { parameters: { logitBias: new Map([[0, 50]]) } });
    expect(drawn?.tokenId).toBe(0);
    expect(drawn?.logprob).toBeCloseTo(Math.log(1 / 4), 5);
  });

  test('draws each token as often as its probability says', () => {
    const values = [0.5, 2, -1, 1, 0];
    for (const [id, share] of frequencies(values, {}).entries())
      expect(share).toBeCloseTo(softmax(values)[id] ?? 0, 1);
  });

  test('a temperature above 1 levels the odds, one below sharpens them', () => {
    const values = [0, 1, 2];
    const expected = softmax(values.map((value) => value / 0.5));
    for (const [id, share] of frequencies(values, { temperature: 0.5 }).entries())
      expect(share).toBeCloseTo(expected[id] ?? 0, 1);
    const even = frequencies(values, { temperature: 10 });
    expect(Math.max(...even) - Math.min(...even)).toBeLessThan(0.1);
  });

  test('top-k leaves exactly the k likeliest, of equals the first', () => {
    const drawn = frequencies([5, 1, 5, 4, 1, 1], { topK: 4 });
    expect(drawn.map((share) => share > 0)).toEqual([true, true, true, true, false, false]);
  });

  test('top-p leaves the smallest set that holds the share', () => {
    const values = [0.5, 0.3, 0.15, 0.05].map((share) => Math.log(share));
    const kept = (topP: number) =>
      frequencies(values, { topP }).filter((share) => share > 0).length;
    expect([kept(0.4), kept(0.6), kept(0.81), kept(0.99)]).toEqual([1, 2, 3, 4]);
  });

  test('min-p leaves tokens by their odds against the likeliest', () => {
    const values = [0.6, 0.25, 0.1, 0.05].map((share) => Math.log(share));
    expect(frequencies(values, { minP: 0.2 }).map((share) => share > 0)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test('a repetition penalty lowers what was seen, whatever its sign', () => {
    const parameters = { repetitionPenalty: 2 };
    expect(sample([3, 2], { parameters, seen: [0] })?.tokenId).toBe(1);
    expect(sample([-1, -1.5], { parameters, seen: [0] })?.tokenId).toBe(1);
  });

  test('takes only what is allowed, and nothing when nothing is', () => {
    expect(sample([9, 1, 2], { allowed: Uint8Array.of(0, 1, 1) })?.tokenId).toBe(2);
    expect(sample([9, 1], { allowed: Uint8Array.of(0, 0) })).toBeUndefined();
  });

  test('refuses scores that are not numbers', () => {
    const nan = {
      logits: Float32Array.of(Number.NaN, 1),
      logprobs: Float32Array.of(Number.NaN, Number.NaN),
    };
    const sampler = createTokenSampler(2);
    const request = { parameters: greedy, seen: [], index: 0 };
    expect(sampler.sample({ ...request, scores: { ...nan, likeliest: 0 } })).toBeUndefined();
  });

  test('never draws a token outside top-k, top-p or min-p, for any scores', () => {
    const tenths = fc.integer({ min: -300, max: 300 }).map((value) => value / 10);
    const arbitrary = fc.record({
      values: fc.array(tenths, { minLength: 1, maxLength: 40 }),
      temperature: fc.double({ min: 0.05, max: 3, noNaN: true }),
      topK: fc.integer({ min: 0, max: 10 }),
      topP: fc.double({ min: 0.05, max: 1, noNaN: true }),
      minP: fc.double({ min: 0, max: 0.5, noNaN: true }),
      seed: fc.integer(),
    });
    fc.assert(
      fc.property(arbitrary, ({ values, ...parameters }) => {
        const drawn = sample(values, { parameters });
        const { temperature, topK, minP } = parameters;
        const chosen = values[drawn?.tokenId ?? -1] ?? Number.NaN;
        const better = values.filter((value) => value > chosen).length;
        const max = Math.max(...values);
        expect(chosen).not.toBeNaN();
        expect(better).toBeLessThan(topK === 0 ? values.length : topK);
        expect(Math.exp((chosen - max) / temperature)).toBeGreaterThanOrEqual(minP * 0.999);
      }),
      { numRuns: 500 },
    );
  });
});

describe('random numbers', () => {
  test('depend on seed and place alone, and fill [0, 1) evenly', () => {
    const numbers = Array.from({ length: 10_000 }, (_, index) => randomAt(7, index));
    expect(numbers).toEqual(Array.from({ length: 10_000 }, (_, index) => randomAt(7, index)));
    expect(new Set(numbers).size).toBe(10_000);
    for (let bin = 0; bin < 10; bin++) {
      const share = numbers.filter((x) => Math.floor(x * 10) === bin).length / 10_000;
      expect(share).toBeGreaterThan(0.085);
      expect(share).toBeLessThan(0.115);
    }
  });

  test('of neighbouring seeds have nothing in common', () => {
    const pairs = Array.from({ length: 5_000 }, (_, seed) => [
      randomAt(seed, 0),
      randomAt(seed + 1, 0),
    ]);
    const mean = pairs.reduce((sum, [a = 0, b = 0]) => sum + (a - 0.5) * (b - 0.5), 0) / 5_000;
    expect(Math.abs(mean)).toBeLessThan(0.01);
  });
});

test('the fast exponential agrees with the library to nine digits', () => {
  for (let x = 0; x > -87; x -= 0.0137)
    expect(Math.abs(expNonPositive(x) / Math.exp(x) - 1)).toBeLessThan(3e-9);
  expect(expNonPositive(-1_000)).toBe(0);
  expect(expNonPositive(Number.NaN)).toBeNaN();
});
