import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { CONTEXT_HEADER } from '@opea/kernel/auth';
import { serve } from '@opea/kernel/http';
import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { startTestRouter } from '../testing/test-router.ts';
import type { Mount, MountListener } from './mounts.ts';

/** Answers with what it received. */
const echo: MountListener = (request, response) => {
  void answerWithRequest(request, response);
};

async function answerWithRequest(
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await text(request);
  const { method, url, headers } = request;
  response.writeHead(201, { 'x-echo': 'yes' }).end(JSON.stringify({ method, url, headers, body }));
}

describe.each(['in this process', 'elsewhere'] as const)('a mount of a service %s', (place) => {
  async function withMount(
    mount: Partial<Mount>,
    work: (router: Awaited<ReturnType<typeof startTestRouter>>) => Promise<void>,
  ): Promise<void> {
    await using service = await serve(echo, { port: 0, drainMs: 100 });
    const target = place === 'elsewhere' ? new URL(service.url) : echo;
    const mounts: readonly Mount[] = [{ prefix: '/artifacts', target, ...mount }];
    await using router = await startTestRouter({ deps: { mounts } });
    await work(router);
  }

  it('passes the request on with the signed context in place of the credential', () =>
    withMount({}, async (router) => {
      const response = await fetch(`${router.url}/artifacts/x?y=1`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${router.key}`, 'x-kept': 'yes' },
        body: 'content',
      });
      expect(response.status).toBe(201);
      expect(response.headers.get('x-echo')).toBe('yes');
      const { method, url, headers, body } = await received(response);
      expect({ method, url, body }).toEqual({
        method: 'PUT',
        url: '/artifacts/x?y=1',
        body: 'content',
      });
      expect(headers).toMatchObject({ 'x-kept': 'yes' });
      expect(headers).not.toHaveProperty('authorization');
      expect(decodeJwt(headers[CONTEXT_HEADER] ?? '')).toMatchObject({
        sub: 'prn_ada',
        tenant: 'demo',
        aud: 'opea:registry',
      });
    }));

  it('refuses a request without a credential', () =>
    withMount({}, async (router) => {
      expect((await fetch(`${router.url}/artifacts`)).status).toBe(401);
      expect((await fetch(`${router.url}/artifactsx`)).status).toBe(404);
    }));

  it('lets anonymous requests through where that is meant, never with a context of their own', () =>
    withMount({ prefix: '/auth' }, async (router) => {
      const response = await fetch(`${router.url}/auth/token`, {
        method: 'POST',
        headers: { [CONTEXT_HEADER]: 'forged' },
        body: '{"apiKey":"x"}',
      });
      const { headers, body } = await received(response);
      expect(headers).not.toHaveProperty(CONTEXT_HEADER);
      expect(body).toBe('{"apiKey":"x"}');
    }));
});

describe('a mount of a service that is away', () => {
  it('answers 503', async () => {
    const closed = createServer().listen(0);
    const address = closed.address();
    const port = typeof address === 'object' ? address?.port : 0;
    closed.close();
    const mounts = [{ prefix: '/artifacts', target: new URL(`http://127.0.0.1:${port}`) }];
    await using router = await startTestRouter({ deps: { mounts } });
    const headers = { authorization: `Bearer ${router.key}` };
    expect((await fetch(`${router.url}/artifacts/x`, { headers })).status).toBe(503);
  });
});

/** What the service received, as it told. */
async function received(response: Response): Promise<Received> {
  return JSON.parse(await response.text());
}

interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}
