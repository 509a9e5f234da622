import { describe, expect, it } from 'vitest';
import { begun } from './begun.ts';

async function* counting(to: number): AsyncGenerator<number> {
  for (let at = 1; at <= to; at += 1) yield at;
}

describe('a stream that has begun', () => {
  it('gives every item once, in order', async () => {
    const { signal } = new AbortController();
    const items: string[] = [];
    for await (const item of await begun(counting(3), signal, String)) items.push(item);
    expect(items).toEqual(['1', '2', '3']);
  });

  it('rejects when its first item is refused, and leaves its source', async () => {
    let isLeft = false;
    async function* source() {
      try {
        yield 1;
      } finally {
        isLeft = true;
      }
    }
    const refuse = () => {
      throw new Error('refused');
    };
    await expect(begun(source(), new AbortController().signal, refuse)).rejects.toThrow('refused');
    expect(isLeft).toBe(true);
  });

  it('rejects with the reason when it is aborted before its first item', async () => {
    const life = new AbortController();
    const silent: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }),
    };
    const waiting = begun(silent, life.signal, String);
    life.abort(new Error('left'));
    await expect(waiting).rejects.toThrow('left');
  });
});
