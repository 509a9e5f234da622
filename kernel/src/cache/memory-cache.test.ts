import { describe, expect, test } from 'vitest';
import { cacheContract } from './cache.contract.ts';
import { memoryCache } from './index.ts';

describe('the cache in memory', () => {
  cacheContract(async () => memoryCache());

  test('keeps within its bound: the least recently used leave first', async () => {
    const cache = memoryCache({ maxBytes: 10_000 });
    for (let n = 0; n < 100; n += 1) {
      await cache.set(`k${n}`, new Uint8Array(1_000), { ttlMs: 60_000, tags: ['t'] });
    }

    expect(await cache.get('k0')).toBeUndefined();
    expect(await cache.get('k99')).toBeDefined();
  });
});
