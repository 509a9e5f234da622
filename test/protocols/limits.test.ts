import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningPlatform, startTestPlatform } from '../kit/running-platform.ts';

let platform: RunningPlatform;

beforeAll(async () => {
  const rates = { models: 1, inference: 1, data: 1, platform: 1 };
  platform = await startTestPlatform({ router: { rates } });
});

afterAll(async () => {
  await platform[Symbol.asyncDispose]();
});

describe('the limits of the graph hold for other protocols', () => {
  it.each([
    ['/v1/models', 'GET', { error: { type: 'rate_limit_error', code: 'rate_limit_exceeded' } }],
    ['/v2/repository/index', 'POST', { error: expect.any(String), code: 'RATE' }],
  ])('%s answers 429 and when to come back', async (path, method, body) => {
    const headers = { authorization: `Bearer ${platform.apiKey}` };
    // Two of three fall into one minute.
    const answers = [];
    for (let at = 0; at < 3; at += 1)
      answers.push(await fetch(platform.url + path, { method, headers }));
    const refused = answers.find(({ status }) => status === 429);
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(await refused?.json()).toMatchObject(body);
  });
});
