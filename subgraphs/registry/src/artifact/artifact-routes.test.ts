import { createHash } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  type Ground,
  openGround,
  startOn,
  type TestRegistry,
  viewer,
} from '../testing/test-registry.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const ada = viewer('prn_ada', ['DATA_SCIENTIST']);
const bob = viewer('prn_bob', ['MODEL_USER']);
const mallory = viewer('prn_mallory', ['DATA_SCIENTIST'], 'tnt_globex');
const maxArtifactBytes = 1_000_000;

let ground: Ground;
let registry: TestRegistry;
let context: Record<string, string>;
beforeAll(async () => {
  ground = await openGround();
  registry = await startOn(ground, { limits: { maxArtifactBytes } });
  context = await registry.headersOf(ada);
});
afterAll(async () => {
  await registry?.[Symbol.asyncDispose]();
  await ground?.[Symbol.asyncDispose]();
});

const bytesOf = (text: string) => Buffer.from(text.repeat(1_000));
const digestOf = (bytes: Uint8Array) =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const codeOf = async (answer: Response) => {
  const { error } = (await answer.json()) as { error: { code: string } };
  return [answer.status, error.code];
};
const fetched = async (who: typeof ada, digest: string, init: RequestInit = {}) =>
  fetch(`${registry.url}/artifacts/${digest}`, { ...init, headers: await registry.headersOf(who) });

describe('an upload', () => {
  test('is answered with digest and size, and comes back as it went', async () => {
    const bytes = bytesOf('weights');
    const put = await registry.upload(ada, bytes);
    const got = await fetched(bob, digestOf(bytes));

    expect(put.status).toBe(201);
    await expect(put.json()).resolves.toEqual({ digest: digestOf(bytes), size: bytes.length });
    expect(got.headers.get('content-length')).toBe(String(bytes.length));
    expect(Buffer.from(await got.arrayBuffer())).toEqual(bytes);
  });

  test('in pieces, without a length, is streamed', async () => {
    const bytes = bytesOf('pieces');
    const body = new ReadableStream({
      start(controller) {
        for (let at = 0; at < bytes.length; at += 100)
          controller.enqueue(new Uint8Array(bytes.subarray(at, at + 100)));
        controller.close();
      },
    });
    const init = { method: 'PUT', body, headers: context, duplex: 'half' } as const;
    const put = await fetch(`${registry.url}/artifacts`, init);

    await expect(put.json()).resolves.toEqual({ digest: digestOf(bytes), size: bytes.length });
  });

  test.for(['header', 'query'])('is checked against the digest in its %s', async (place) => {
    const bytes = bytesOf(place);
    const put = async (digest: string) => {
      const [query, headers] = place === 'query' ? [`?digest=${digest}`, {}] : ['', { digest }];
      return fetch(`${registry.url}/artifacts${query}`, {
        method: 'PUT',
        body: bytes,
        headers: { ...(await registry.headersOf(ada)), ...headers },
      });
    };

    await expect(put(`sha256:${'0'.repeat(64)}`).then(codeOf)).resolves.toEqual([
      422,
      'DIGEST_MISMATCH',
    ]);
    await expect(fetched(ada, digestOf(bytes)).then(codeOf)).resolves.toEqual([
      404,
      'ARTIFACT_NOT_FOUND',
    ]);
    await expect(put('sha256:../../etc').then(codeOf)).resolves.toEqual([400, 'BAD_USER_INPUT']);
    expect((await put(digestOf(bytes))).status).toBe(201);
  });

  test('that says it is larger than allowed is refused before it is read', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const request = httpRequest(`${registry.url}/artifacts`, {
        method: 'PUT',
        headers: { ...context, 'content-length': maxArtifactBytes + 1 },
      });
      request.on('response', ({ statusCode }) => {
        resolve(statusCode);
        request.destroy();
      });
      request.on('error', reject);
      request.flushHeaders();
    });

    expect(status).toBe(413);
  });

  test('that turns out larger than allowed leaves nothing behind', async () => {
    const bytes = Buffer.alloc(maxArtifactBytes + 1);
    const body = new ReadableStream({
      start(controller) {
        for (let at = 0; at < bytes.length; at += 65_536)
          controller.enqueue(new Uint8Array(bytes.subarray(at, at + 65_536)));
        controller.close();
      },
    });
    const init = { method: 'PUT', body, headers: context, duplex: 'half' } as const;
    await fetch(`${registry.url}/artifacts`, init).catch(() => {});
    const exact = await registry.upload(ada, Buffer.alloc(maxArtifactBytes));

    await expect(fetched(ada, digestOf(bytes)).then(codeOf)).resolves.toEqual([
      404,
      'ARTIFACT_NOT_FOUND',
    ]);
    expect(exact.status).toBe(201);
  });

  test('is for makers of models', async () => {
    await expect(registry.upload(bob, bytesOf('x')).then(codeOf)).resolves.toEqual([
      403,
      'FORBIDDEN',
    ]);
  });

  test('without a signed context is refused', async () => {
    const put = await fetch(`${registry.url}/artifacts`, { method: 'PUT', body: 'x' });

    await expect(codeOf(put)).resolves.toEqual([401, 'UNAUTHENTICATED']);
  });
});

describe('a download', () => {
  test('of what another tenant uploaded is refused like one of what nobody did', async () => {
    const bytes = bytesOf('private');
    await registry.upload(ada, bytes);
    const foreign = await fetched(mallory, digestOf(bytes));
    const absent = await fetched(mallory, digestOf(bytesOf('absent')));

    await expect(codeOf(foreign)).resolves.toEqual([404, 'ARTIFACT_NOT_FOUND']);
    await expect(codeOf(absent)).resolves.toEqual([404, 'ARTIFACT_NOT_FOUND']);
  });

  test('is possible for a tenant that brought the same bytes itself', async () => {
    const bytes = bytesOf('both');
    await registry.upload(ada, bytes);
    const put = await registry.upload(mallory, bytes);

    expect(put.status).toBe(201);
    expect((await fetched(mallory, digestOf(bytes))).status).toBe(200);
  });

  test('by HEAD tells the size alone', async () => {
    const bytes = bytesOf('head');
    await registry.upload(ada, bytes);
    const head = await fetched(bob, digestOf(bytes), { method: 'HEAD' });

    expect(head.headers.get('content-length')).toBe(String(bytes.length));
    await expect(head.text()).resolves.toBe('');
  });

  test.for(['sha256:00', '..%2f..%2fetc%2fpasswd', "'; DROP TABLE artifacts;--"])(
    'of "%s" finds nothing',
    async (digest) => {
      await expect(fetched(ada, encodeURIComponent(digest)).then(codeOf)).resolves.toEqual([
        404,
        'ARTIFACT_NOT_FOUND',
      ]);
    },
  );
});
