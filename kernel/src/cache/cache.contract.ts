import { expect, test } from 'vitest';
import type { Cache } from './index.ts';

/** Every cache keeps these promises. `open` gives an empty one. */
export function cacheContract(open: () => Promise<Cache>): void {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const minute = { ttlMs: 60_000 };

  test('what was set comes back until it is deleted', async () => {
    await using cache = await open();
    await cache.set('a', new Uint8Array([0, 255, 13, 10]), minute);

    expect(await cache.get('a')).toEqual(new Uint8Array([0, 255, 13, 10]));
    await cache.delete('a');
    expect(await cache.get('a')).toBeUndefined();
  });

  test('a value is gone when its time is over', async () => {
    await using cache = await open();
    await cache.set('short', bytes('x'), { ttlMs: 30 });
    await cache.set('long', bytes('y'), minute);

    await expect.poll(() => cache.get('short')).toBeUndefined();
    expect(await cache.get('long')).toEqual(bytes('y'));
  });

  test('a tag forgets all that carry it, and nothing else', async () => {
    await using cache = await open();
    await cache.set('a', bytes('1'), { ...minute, tags: ['model:1', 'tenant:x'] });
    await cache.set('b', bytes('2'), { ...minute, tags: ['tenant:x'] });
    await cache.set('c', bytes('3'), minute);

    await cache.invalidateTag('model:1');
    expect(await cache.get('a')).toBeUndefined();
    expect(await cache.get('b')).toEqual(bytes('2'));
    await cache.invalidateTag('tenant:x');
    expect(await cache.get('b')).toBeUndefined();
    expect(await cache.get('c')).toEqual(bytes('3'));
  });

  test('counters add up, also from many at once, and begin anew when their time is over', async () => {
    await using cache = await open();

    await Promise.all(Array.from({ length: 20 }, () => cache.increment('n', minute)));
    expect(await cache.increment('n', { ...minute, by: 5 })).toBe(25);
    await cache.increment('brief', { ttlMs: 30, by: 7 });
    await expect
      .poll(async () => cache.increment('brief', { ttlMs: 30 }), { interval: 50 })
      .toBe(1);
  });
}
