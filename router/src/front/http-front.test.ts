import { auditServer } from 'graphql-http';
import { describe, expect, it } from 'vitest';
import { startTestRouter } from '../testing/test-router.ts';

describe('GraphQL over HTTP', () => {
  it('passes every audit of the specification', async () => {
    await using router = await startTestRouter();
    const results = await auditServer({
      url: router.graphUrl,
      fetchFn: (url: string, init: RequestInit = {}) =>
        fetch(url, {
          ...init,
          headers: {
            ...Object.fromEntries(new Headers(init.headers)),
            authorization: `Bearer ${router.key}`,
            'apollo-require-preflight': 'true',
          },
        }),
    });
    const failed = results.filter(({ status }) => status !== 'ok');
    expect(failed.map(({ id, name }) => `${id} ${name}`)).toEqual([]);
    expect(results).toHaveLength(61);
  });

  it('answers a query with data and a correlation id', async () => {
    await using router = await startTestRouter();
    const response = await router.ask({ query: '{ hello(name: "ada") }' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(
      'application/graphql-response+json; charset=utf-8',
    );
    expect(response.headers.get('x-correlation-id')).toMatch(/^[\w-]{36}$/);
    expect(await response.json()).toEqual({ data: { hello: 'hello ada' } });
  });
});
