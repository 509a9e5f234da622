export type { Cache, CacheSetOptions } from './cache.ts';
export { memoryCache, type MemoryCacheOptions } from './memory-cache.ts';
export { redisCache, type RedisCacheOptions } from './redis-cache.ts';
