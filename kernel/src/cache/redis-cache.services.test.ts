import { env } from 'node:process';
import { describe } from 'vitest';
import { newId } from '../ids/index.ts';
import { cacheContract } from './cache.contract.ts';
import { redisCache } from './index.ts';

describe('the cache in Redis', () => {
  cacheContract(() => {
    const url = env['OPEA_TEST_REDIS_URL'];
    if (url === undefined) throw new Error('OPEA_TEST_REDIS_URL is not set');
    return redisCache({ url, prefix: `${newId()}:` });
  });
});
