export type { Cache, CacheSetOptions } from './cache.ts';
export { type MemoryCacheOptions, memoryCache } from './memory-cache.ts';
export { type RedisCacheOptions, redisCache } from './redis-cache.ts';
