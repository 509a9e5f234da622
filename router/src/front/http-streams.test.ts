import { createClient } from 'graphql-sse';
import { describe, expect, it } from 'vitest';
import { endlessSource } from '../testing/endless-source.ts';
import { startTestRouter, type TestRouter } from '../testing/test-router.ts';

describe.each([
  ['distinct connections', false],
  ['a single connection', true],
] as const)('event streams over %s', (_name, singleConnection) => {
  const clientOf = (router: TestRouter) =>
    createClient({
      url: router.graphUrl,
      singleConnection,
      retryAttempts: 0,
      headers: { authorization: `Bearer ${router.key}` },
    });

  it('stream a subscription to the graphql-sse client', async () => {
    await using router = await startTestRouter();
    const client = clientOf(router);
    const events: unknown[] = [];
    for await (const event of client.iterate({ query: 'subscription { count(to: 3) }' }))
      events.push(event);
    expect(events).toEqual([
      { data: { count: 1 } },
      { data: { count: 2 } },
      { data: { count: 3 } },
    ]);
    client.dispose();
  });

  it('answer queries too', async () => {
    await using router = await startTestRouter();
    const client = clientOf(router);
    const { value } = await client.iterate({ query: '{ hello }' }).next();
    expect(value).toEqual({ data: { hello: 'hello world' } });
    client.dispose();
  });

  it('tell the source to stop when the client unsubscribes', async () => {
    const source = endlessSource();
    await using router = await startTestRouter({ resolvers: { forever: source.open } });
    const client = clientOf(router);
    const iterator = client.iterate({ query: 'subscription { forever }' });
    await iterator.next();
    void iterator.return?.();
    await expect(source.stopped).resolves.toBeUndefined();
    client.dispose();
  });
});

describe('streams on one HTTP answer', () => {
  it('send each event of a subscription as a part, closed by its boundary', async () => {
    const source = endlessSource();
    await using router = await startTestRouter({ resolvers: { forever: source.open } });
    const response = await openStream(router, 'subscription { forever }', multipartAccept);
    expect(response.headers.get('content-type')).toBe(
      'multipart/mixed;boundary="graphql";subscriptionSpec="1.0"',
    );
    const reader = readerOf(response);
    expect(await reader.until('}}}\r\n--graphql')).toBe(
      '\r\n--graphql\r\ncontent-type: application/json; charset=utf-8\r\n\r\n{"payload":{"data":{"forever":1}}}\r\n--graphql',
    );
    await reader.cancel();
    await source.stopped;
  });

  it('end the multipart answer when the source ends', async () => {
    await using router = await startTestRouter();
    const response = await openStream(router, 'subscription { count(to: 1) }', multipartAccept);
    const text = await response.text();
    expect(text.endsWith('{"payload":{"data":{"count":1}}}\r\n--graphql--\r\n')).toBe(true);
  });

  it('show signs of life while nothing happens', async () => {
    const source = endlessSource();
    await using router = await startTestRouter({
      resolvers: { forever: source.open },
      config: { heartbeatMs: 500 },
    });
    const multipart = readerOf(
      await openStream(router, 'subscription { forever }', multipartAccept),
    );
    expect(await multipart.until('\r\n\r\n{}\r\n--graphql')).toContain('{}');
    await multipart.cancel();
    const events = readerOf(
      await openStream(router, 'subscription { forever }', 'text/event-stream'),
    );
    await events.until('}\n\n:\n\n');
    await events.cancel();
  });

  it('end when the token expires, and tell why', async () => {
    const source = endlessSource();
    await using router = await startTestRouter({ resolvers: { forever: source.open } });
    const token = await router.token({ expiresInMs: 1_200 });
    const response = await openStream(
      router,
      'subscription { forever }',
      'text/event-stream',
      token,
    );
    expect(await response.text()).toContain('UNAUTHENTICATED');
    await source.stopped;
  });

  it('refuse a subscription that asks for plain JSON', async () => {
    await using router = await startTestRouter();
    const response = await openStream(
      router,
      'subscription { forever }',
      'application/graphql-response+json',
    );
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      errors: [{ extensions: { code: 'STREAM_NEEDED' } }],
    });
  });
});

const multipartAccept =
  'multipart/mixed;boundary="graphql";subscriptionSpec="1.0", application/json';

function openStream(router: TestRouter, query: string, accept: string, credential = router.key) {
  return router.ask({ query }, { accept, authorization: `Bearer ${credential}` });
}

/** Reads an answer until some text came. */
function readerOf(response: Response) {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    async until(wanted: string): Promise<string> {
      while (!text.includes(wanted)) {
        const step = await reader?.read();
        if (step === undefined || step.done) throw new Error(`The stream ended: ${text}`);
        text += step.value;
      }
      return text;
    },
    cancel: () => reader?.cancel() ?? Promise.resolve(),
  };
}
