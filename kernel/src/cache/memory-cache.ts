import { LRUCache } from 'lru-cache';
import type { Cache } from './cache.ts';

export interface MemoryCacheOptions {
  /** Bound of the values together, in bytes; the least recently used leave first. Default 64 MiB. */
  readonly maxBytes?: number;
}

interface Entry {
  readonly value: Uint8Array;
  readonly tags: readonly string[];
}

/** A cache of this process alone. */
export function memoryCache({ maxBytes = 64 * 1024 * 1024 }: MemoryCacheOptions = {}): Cache {
  const keysOfTag = new Map<string, Set<string>>();
  const untag = ({ tags }: Entry, key: string) => {
    for (const tag of tags) {
      const keys = keysOfTag.get(tag);
      keys?.delete(key);
      if (keys?.size === 0) keysOfTag.delete(tag);
    }
  };
  const entries = new LRUCache<string, Entry>({
    maxSize: maxBytes,
    sizeCalculation: ({ value }, key) => value.byteLength + key.length + 64,
    dispose: untag,
  });
  const counters = new LRUCache<string, { sum: number }>({ max: 100_000 });

  return {
    async get(key) {
      return entries.get(key)?.value;
    },
    async set(key, value, { ttlMs, tags = [] }) {
      entries.set(key, { value: value.slice(), tags }, { ttl: ttlMs });
      if (!entries.has(key)) return;
      for (const tag of tags) keysOfTag.set(tag, (keysOfTag.get(tag) ?? new Set()).add(key));
    },
    async delete(key) {
      entries.delete(key);
      counters.delete(key);
    },
    async invalidateTag(tag) {
      for (const key of keysOfTag.get(tag) ?? []) entries.delete(key);
    },
    async increment(key, { by = 1, ttlMs }) {
      const counter = counters.get(key) ?? { sum: 0 };
      if (!counters.has(key)) counters.set(key, counter, { ttl: ttlMs });
      counter.sum += by;
      return counter.sum;
    },
    async [Symbol.asyncDispose]() {
      entries.clear();
      counters.clear();
    },
  };
}
