/* oxlint-disable vitest/no-standalone-expect -- attacks are a table; attacks.test.ts runs each inside a test */
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect } from 'vitest';
import {
  type Attack,
  answerFrom,
  cpuOf,
  expectNothingInside,
  expectRefusal,
  patienceMs,
  post,
  raw,
} from './attack.ts';
import type { Target } from './target.ts';

const hello = { query: '{ __typename }' };
const json = 'application/json';

const postAs = async (target: Target, contentType: string, body: string) =>
  answerFrom(
    await fetch(target.graphUrl, {
      method: 'POST',
      headers: { 'content-type': contentType, authorization: `Bearer ${target.key}` },
      body,
      signal: AbortSignal.timeout(patienceMs),
    }),
  );

const getAs = async (target: Target, search: string, headers: Record<string, string> = {}) =>
  answerFrom(
    await fetch(`${target.graphUrl}?${search}`, {
      headers: {
        accept: 'application/graphql-response+json',
        authorization: `Bearer ${target.key}`,
        ...headers,
      },
      signal: AbortSignal.timeout(patienceMs),
    }),
  );

const preflighted = { 'apollo-require-preflight': 'true' };

export const httpAttacks: readonly Attack[] = [
  {
    id: 'A20',
    title: 'a variable of 5 MB',
    run: async (target) =>
      expectRefusal(
        await post(target, { ...hello, variables: { v: 'x'.repeat(5_000_000) } }),
        413,
        'BODY',
      ),
  },
  {
    id: 'A20',
    title: 'variables of 200 KB in a body that may be that long',
    run: async (target) =>
      expectRefusal(
        await post(target, { ...hello, variables: { v: 'x'.repeat(200_000) } }),
        400,
        'VARIABLES_SIZE',
      ),
  },
  {
    id: 'A21',
    title: 'variables nested 10,000 deep',
    async run(target) {
      const body = `{"query":"{__typename}","variables":{"v":${'['.repeat(10_000)}${']'.repeat(10_000)}}}`;
      expectRefusal(await post(target, body), 400, 'VARIABLES_DEPTH');
      expect(await cpuOf(async () => void (await post(target, body)))).toBeLessThan(50);
    },
  },
  {
    id: 'A22',
    title: 'a body just over the limit closes the connection',
    async run(target) {
      const body = `{"query":"{__typename}","x":"${'y'.repeat(257 * 1024)}"}`;
      const head = `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: ${json}\r\ncontent-length: ${body.length}\r\n\r\n`;
      expect(await raw(target, head, body)).toMatch(/^HTTP\/1\.1 413 /);
    },
  },
  {
    id: 'A22',
    title: 'chunks without a length, just over the limit',
    async run(target) {
      const head = `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: ${json}\r\ntransfer-encoding: chunked\r\n\r\n`;
      const chunk = `10000\r\n${'y'.repeat(0x10000)}\r\n`;
      expect(await raw(target, head, chunk.repeat(5))).toMatch(/^HTTP\/1\.1 413 /);
    },
  },
  {
    id: 'A23',
    title: 'a body of which one byte arrives',
    async run(target) {
      const head = `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: ${json}\r\ncontent-length: 1000\r\n\r\n{`;
      const startedAt = performance.now();
      expect(await raw(target, head)).toMatch(/^HTTP\/1\.1 408 /);
      expect(performance.now() - startedAt).toBeLessThan(10_000);
    },
  },
  {
    id: 'A24',
    title: '200 connections whose headers never end',
    async run(target) {
      const { hostname, port } = new URL(target.url);
      const startedAt = performance.now();
      const sockets = Array.from({ length: 200 }, () => {
        const socket = connect(Number(port), hostname);
        socket.on('error', () => undefined);
        socket.on('data', () => undefined);
        socket.write('POST /graphql HTTP/1.1\r\nhost: x\r\nx-slow: ');
        return once(socket, 'close', { signal: AbortSignal.timeout(patienceMs) });
      });
      expect((await post(target, hello)).status).toBe(200);
      await Promise.all(sockets);
      expect(performance.now() - startedAt).toBeLessThan(10_000);
    },
  },
  {
    id: 'A26',
    title: 'a credential made to confuse a pattern',
    async run(target) {
      const authorization = `Bearer opea_${'a'.repeat(12_000)}!`;
      expectRefusal(await post(target, hello, { authorization }), 401, 'UNAUTHENTICATED');
      expect(
        await cpuOf(async () => void (await post(target, hello, { authorization }))),
      ).toBeLessThan(50);
    },
  },
  {
    id: 'A31',
    title: 'a persisted query under the hash of another',
    async run(target) {
      const persistedQuery = { version: 1, sha256Hash: 'a'.repeat(64) };
      const poisoned = { ...hello, extensions: { persistedQuery } };
      expectRefusal(await post(target, poisoned), 400, 'PERSISTED_QUERY_MISMATCH');
      const asked = await post(target, { extensions: { persistedQuery } });
      expectRefusal(asked, 400, 'PERSISTED_QUERY_NOT_FOUND');
    },
  },
  {
    id: 'A32',
    title: 'ten operations in an array',
    run: async (target) =>
      expectRefusal(
        await post(
          target,
          Array.from({ length: 10 }, () => hello),
        ),
        400,
        'BATCH_OFF',
      ),
  },
  {
    id: 'A33',
    title: 'an alias named like a member of every object',
    async run(target) {
      const { text } = await post(target, {
        query: '{ constructor: __typename toString: __typename }',
      });
      expect(JSON.parse(text)).toEqual({ data: { constructor: 'Query', toString: 'Query' } });
    },
  },
  {
    id: 'A40',
    title: 'lines smuggled into the log by an operation name',
    async run(target) {
      const name = 'x\n{"level":"info","msg":"forged"}\r\n';
      await post(target, { query: 'query x { __typename }', operationName: name });
      await post(target, hello, {
        authorization: `Bearer ${target.key}`,
        'x-correlation-id': 'a"}{"b',
      });
      for (const line of target.logLines) {
        expect(line.trimEnd()).not.toContain('\n');
        expect(JSON.parse(line).msg).not.toBe('forged');
      }
    },
  },
  ...[
    ['A44', 'a form', 'application/x-www-form-urlencoded', 'query=%7B__typename%7D'],
    ['A44', 'an upload form', 'multipart/form-data; boundary=x', '--x--'],
    ['A45', 'an exotic charset', 'application/json; charset=ibm037', JSON.stringify(hello)],
    ['A46', 'plain text', 'text/plain', JSON.stringify(hello)],
  ].map(
    ([id = '', title = '', type = '', body = '']): Attack => ({
      id,
      title: `a body sent as ${title}`,
      run: async (target) =>
        expectRefusal(await postAs(target, type, body), 415, 'UNSUPPORTED_MEDIA_TYPE'),
    }),
  ),
  {
    id: 'A48',
    title: 'a mutation over GET',
    run: async (target) =>
      expectRefusal(
        await getAs(target, 'query=mutation%7B__typename%7D', preflighted),
        405,
        'MUTATION_OVER_GET',
      ),
  },
  {
    id: 'A49',
    title: 'a GET that a page of another site could send',
    run: async (target) =>
      expectRefusal(await getAs(target, 'query=%7B__typename%7D'), 400, 'CSRF'),
  },
  ...['null', 'https://evil.example', 'https://app.example.com.evil.example'].map(
    (origin): Attack => ({
      id: 'A50',
      title: `reading answers from origin ${origin}`,
      async run(target) {
        const { headers } = await post(target, hello, {
          origin,
          authorization: `Bearer ${target.key}`,
        });
        expect(headers.get('access-control-allow-origin')).toBeNull();
        expect(headers.get('access-control-allow-credentials')).toBeNull();
        const preflight = await fetch(target.graphUrl, {
          method: 'OPTIONS',
          headers: { origin, 'access-control-request-method': 'POST' },
        });
        expect(preflight.headers.get('access-control-allow-origin')).toBeNull();
      },
    }),
  ),
  {
    id: 'A67',
    title: 'more operations than a minute allows, over another transport',
    async run(target) {
      const query = '{ featureViews(first: 1) { edges { cursor } } }';
      // The count begins anew each minute: twice the limit and one more is too many in some minute.
      let answer = await post(target, { query });
      for (let count = 0; count < 40 && answer.status === 200; count += 1)
        answer = await post(target, { query });
      expectRefusal(answer, 429, 'RATE');
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    },
  },
  {
    id: 'A84',
    title: 'introspection without a credential',
    run: async (target) =>
      expectRefusal(
        await post(target, { query: '{ __schema { types { name } } }' }, {}),
        400,
        'INTROSPECTION_OFF',
      ),
  },
  {
    id: 'A84',
    title: 'introspection without a credential, behind a fragment',
    run: async (target) =>
      expectRefusal(
        await post(
          target,
          { query: '{ ...F } fragment F on Query { __type(name: "Model") { name } }' },
          {},
        ),
        400,
        'INTROSPECTION_OFF',
      ),
  },
  ...suggestions([
    ['a field', '{ modells { edges { cursor } } }'],
    ['an argument', '{ models(frist: 1) { edges { cursor } } }'],
    ['an enum value', '{ models(orderBy: NAMEE) { edges { cursor } } }'],
    ['a type', '{ me { ... on Prinzipal { id } } }'],
    [
      'an enum value in variables',
      'query Q($o: ModelOrder) { models(orderBy: $o) { edges { cursor } } }',
      { o: 'NAMEE' },
    ],
  ]),
  {
    id: 'A85',
    title: 'names of the schema told to nobody in particular',
    async run(target) {
      const { status, text } = await post(target, { query: '{ me { secret } }' }, {});
      expect(status).toBe(400);
      expect(text).not.toContain('Principal');
    },
  },
  {
    id: 'A86',
    title: 'a variable that does not fit',
    run: async (target) =>
      expectRefusal(
        await post(target, {
          query: 'query Q($f: Int) { models(first: $f) { edges { cursor } } }',
          variables: { f: 'abc' },
        }),
        400,
        'VARIABLES_INVALID',
      ),
  },
  {
    id: 'A87',
    title: 'traces of the inside in headers and errors',
    async run(target) {
      const answer = await post(target, { query: '{ tenant { quotas }' });
      expect(answer.headers.get('x-powered-by')).toBeNull();
      expect(answer.headers.get('server')).toBeNull();
      expectNothingInside(answer.text);
    },
  },
  {
    id: 'A88',
    title: 'a landing page in production',
    async run(target) {
      const page = await fetch(`${target.url}/explorer`, { headers: { accept: 'text/html' } });
      expect(page.status).toBe(404);
      const root = await fetch(target.graphUrl, { headers: { accept: 'text/html' } });
      expect((await root.text()).toLowerCase()).not.toContain('<html');
    },
  },
];

function suggestions(rows: readonly (readonly [string, string, object?])[]): readonly Attack[] {
  return rows.map(([title, query, variables]) => ({
    id: 'A85',
    title: `suggestions for ${title}`,
    async run(target) {
      const { status, text } = await post(target, { query, variables });
      expect(status).toBe(400);
      expectNothingInside(text);
    },
  }));
}
