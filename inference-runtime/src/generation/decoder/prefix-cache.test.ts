import { describe, expect, test } from 'vitest';
import type { KvBlock } from './kv-lane.ts';
import { createPrefixCache } from './prefix-cache.ts';

const blockTokens = 4;
const blockBytes = 16;
const block = (name: number): KvBlock => ({
  positions: blockTokens,
  parts: [Float32Array.of(name, 0, 0, 0)],
});
const tokens = (count: number, first = 0) => Array.from({ length: count }, (_, at) => first + at);
const cacheOf = (blocks: number) =>
  createPrefixCache({ blockTokens, maxBytes: blocks * blockBytes });

function remember(cache: ReturnType<typeof cacheOf>, prompt: readonly number[], scope = 'acme') {
  for (let end = blockTokens; end <= prompt.length; end += blockTokens)
    cache.put(scope, prompt, end, () => block((prompt[0] ?? 0) * 100 + end));
}

describe('shared prompt beginnings', () => {
  test('are found by whole blocks, and leave one token to compute', () => {
    const cache = cacheOf(10);
    remember(cache, tokens(12));
    expect(cache.find('acme', tokens(12))).toEqual([block(4), block(8)]);
    expect(cache.find('acme', tokens(13))).toEqual([block(4), block(8), block(12)]);
    expect(cache.find('acme', [...tokens(6), 99, 98, 97])).toEqual([block(4)]);
    expect(cache.find('acme', tokens(12, 1))).toEqual([]);
  });

  test('are not shared between tenants', () => {
    const cache = cacheOf(10);
    remember(cache, tokens(8), 'acme');
    expect(cache.find('other', tokens(9))).toEqual([]);
  });

  test('stay within their memory; what was used longest ago goes first', () => {
    const cache = cacheOf(4);
    remember(cache, tokens(8, 10));
    remember(cache, tokens(8, 20));
    cache.find('acme', tokens(9, 10));
    remember(cache, tokens(4, 30));
    expect(cache.bytes).toBeLessThanOrEqual(4 * blockBytes);
    expect(cache.find('acme', tokens(9, 10))).toHaveLength(2);
    expect(cache.find('acme', tokens(9, 20))).toHaveLength(1);
  });

  test('hold nothing when they may use no memory', () => {
    const cache = cacheOf(0);
    remember(cache, tokens(8));
    expect(cache.bytes).toBe(0);
    expect(cache.find('acme', tokens(9))).toEqual([]);
  });
});
