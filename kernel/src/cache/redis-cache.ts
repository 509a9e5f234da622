import { Redis } from 'ioredis';
import type { Secret } from '../config/index.ts';
import { unavailable } from '../errors/index.ts';
import type { Cache } from './cache.ts';

export interface RedisCacheOptions {
  readonly url: string | Secret;
  /** Put before every key, so that several users of one server stay apart. Default `opea:`. */
  readonly prefix?: string;
  /** How long one command may take. Default 1,000 ms. */
  readonly timeoutMs?: number;
}

/** A cache that all replicas share. Every failure of the server is UNAVAILABLE. */
export async function redisCache(options: RedisCacheOptions): Promise<Cache> {
  const { url, prefix = 'opea:', timeoutMs = 1_000 } = options;
  const redis = new Redis(typeof url === 'string' ? url : url.reveal(), {
    lazyConnect: true,
    commandTimeout: timeoutMs,
    connectTimeout: timeoutMs * 5,
    maxRetriesPerRequest: 1,
  });
  redis.on('error', () => {});
  await translated(redis.connect());
  const value = (key: string) => `${prefix}v:${key}`;
  const tagged = (tag: string) => `${prefix}t:${tag}`;

  return {
    async get(key) {
      const found = await translated(redis.getBuffer(value(key)));
      return found === null ? undefined : new Uint8Array(found);
    },
    async set(key, bytes, { ttlMs, tags = [] }) {
      const batch = redis.multi().set(value(key), Buffer.from(bytes), 'PX', ttlMs);
      for (const tag of tags) {
        batch.sadd(tagged(tag), value(key)).eval(lengthen, 1, tagged(tag), ttlMs);
      }
      await translated(batch.exec());
    },
    async delete(key) {
      await translated(redis.del(value(key), `${prefix}c:${key}`));
    },
    async invalidateTag(tag) {
      await translated(redis.eval(forget, 1, tagged(tag)));
    },
    async increment(key, { by = 1, ttlMs }) {
      return Number(await translated(redis.eval(count, 1, `${prefix}c:${key}`, by, ttlMs)));
    },
    async [Symbol.asyncDispose]() {
      redis.disconnect();
    },
  };
}

const lengthen = `if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end`;
const forget = `for _, key in ipairs(redis.call('SMEMBERS', KEYS[1])) do redis.call('DEL', key) end return redis.call('DEL', KEYS[1])`;
const count = `local sum = redis.call('INCRBYFLOAT', KEYS[1], ARGV[1])
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return sum`;

async function translated<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    throw unavailable({ retryAfterMs: 1_000 }, error);
  }
}
