import { memoryCache } from '@opea/kernel/cache';
import { frozenClock } from '@opea/kernel/clock';
import { supergraphSdl } from '@opea/schema/sdl';
import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { demandHints } from '../guards/demand.ts';
import { measureDocument } from '../guards/document.ts';
import { defaultLimits } from '../guards/limits.ts';
import type { Caller } from '../identity/caller.ts';
import { viewer } from '../testing/test-router.ts';
import { defaultRateLimits, rateLimiter, workClassOf } from './rate-limits.ts';

const callerOf = (id: string, tenant = 'demo'): Caller => ({
  kind: 'key',
  viewer: { ...viewer, id, tenant },
  fingerprint: id,
  expiresAt: undefined,
});

describe('rate limits', () => {
  it('let through what a minute allows, tell how long to wait, and begin anew', async () => {
    const { limiter, clock } = start(3);
    const ada = callerOf('ada');
    for (let count = 0; count < 3; count += 1)
      expect(await limiter.take(ada, 'data')).toBeUndefined();
    clock.advance(15_000);
    expect(await limiter.take(ada, 'data')).toBe(45_000);
    clock.advance(45_000);
    expect(await limiter.take(ada, 'data')).toBeUndefined();
  });

  it('count each principal and each kind of work on its own', async () => {
    const { limiter } = start(1);
    expect(await limiter.take(callerOf('ada'), 'data')).toBeUndefined();
    expect(await limiter.take(callerOf('ada'), 'models')).toBeUndefined();
    expect(await limiter.take(callerOf('bob'), 'data')).toBeUndefined();
    expect(await limiter.take(callerOf('ada'), 'data')).toBeGreaterThan(0);
  });

  it('hold a tenant together to ten times what one may', async () => {
    const { limiter } = start(1);
    for (let count = 0; count < 10; count += 1)
      expect(await limiter.take(callerOf(`user-${count}`), 'data')).toBeUndefined();
    expect(await limiter.take(callerOf('one-more'), 'data')).toBeGreaterThan(0);
    expect(await limiter.take(callerOf('elsewhere', 'other'), 'data')).toBeUndefined();
  });

  it('let everything pass, and tell, when counting fails', async () => {
    let failures = 0;
    const cache = { ...memoryCache(), increment: () => Promise.reject(new Error('away')) };
    const limiter = rateLimiter({
      cache,
      clock: frozenClock('2026-01-01T00:00:00Z'),
      limits: { ...defaultRateLimits, data: 0 },
      onFailure: () => {
        failures += 1;
      },
    });
    expect(await limiter.take(callerOf('ada'), 'data')).toBeUndefined();
    expect(failures).toBe(2);
  });
});

describe('the kind of work of an operation', () => {
  it.each([
    ['{ models { edges { cursor } } }', 'models'],
    ['mutation { predict(input: {}) { id } }', 'inference'],
    ['subscription { generate(input: {}) { text } }', 'inference'],
    ['{ onlineFeatures(view: "x", entities: []) { id } }', 'data'],
    ['{ me { name } }', 'platform'],
    ['{ me { name } ...F } fragment F on Query { models { edges { cursor } } }', 'models'],
  ])('%s is %s', (query, work) => {
    const measured = measureDocument(parse(query), defaultLimits).operations[0];
    if (measured === undefined) throw new Error('No operation');
    const { node, measures } = measured;
    expect(workClassOf(node, measures.rootNames, demandHints(supergraphSdl))).toBe(work);
  });
});

function start(perMinute: number) {
  const clock = frozenClock('2026-01-01T00:00:00Z');
  const limits = { models: perMinute, inference: perMinute, data: perMinute, platform: perMinute };
  const limiter = rateLimiter({ cache: memoryCache(), clock, limits, onFailure: () => undefined });
  return { clock, limiter };
}
