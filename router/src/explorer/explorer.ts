import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RouteTable } from '@opea/kernel/http';
import { examples } from './examples.ts';
import { explorerPage } from './page.ts';

/** A file the page loads: from an installed package, or one of ours. */
interface Asset {
  readonly name: string;
  readonly type: string;
  readonly file: string;
}

const script = 'text/javascript; charset=utf-8';
const style = 'text/css; charset=utf-8';

/** Everything comes from this process: no other host, no inline script, nothing to frame. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "font-src 'self' data:",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The explorer: GraphiQL, served without a network, with examples and streams. */
export function explorerRoutes(options: {
  /** Shown in the key field to pages on a loopback address, and to nobody else. */
  readonly key: string | undefined;
  readonly graphPath: string;
}): RouteTable {
  const served = assets().map((asset) => ({ ...asset, body: readFile(asset.file) }));
  // A missing file is reported by the request that asks for it.
  for (const { body } of served) body.catch(() => undefined);

  const files = served.map(
    ({ name, type, body }) =>
      [
        `GET /explorer/${name}`,
        async (_request, response) => {
          response.writeHead(200, {
            'content-type': type,
            'cache-control': 'no-cache',
            'x-content-type-options': 'nosniff',
          });
          response.end(await body);
        },
      ] satisfies [string, RouteTable[string]],
  );

  return {
    'GET /': (_request, response) => {
      response.writeHead(307, { location: '/explorer' }).end();
    },
    'GET /explorer': (request, response) => {
      const key = isLocal(request) ? options.key : undefined;
      response.writeHead(200, {
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
        'content-security-policy': policy,
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
      });
      response.end(explorerPage({ examples, graphPath: options.graphPath, ...(key && { key }) }));
    },
    ...Object.fromEntries(files),
  };
}

function assets(): readonly Asset[] {
  const require = createRequire(import.meta.url);
  const inPackage = (name: string, file: string) =>
    join(dirname(require.resolve(`${name}/package.json`)), file);
  return [
    { name: 'react.js', type: script, file: inPackage('react', 'umd/react.production.min.js') },
    {
      name: 'react-dom.js',
      type: script,
      file: inPackage('react-dom', 'umd/react-dom.production.min.js'),
    },
    { name: 'graphiql.js', type: script, file: inPackage('graphiql', 'graphiql.min.js') },
    { name: 'graphiql.css', type: style, file: inPackage('graphiql', 'graphiql.min.css') },
    { name: 'graphql-ws.js', type: script, file: inPackage('graphql-ws', 'umd/graphql-ws.min.js') },
    {
      name: 'graphql-sse.js',
      type: script,
      file: inPackage('graphql-sse', 'umd/graphql-sse.min.js'),
    },
    { name: 'start.js', type: script, file: ours('start.js') },
    { name: 'page.css', type: style, file: ours('page.css') },
  ];
}

/**
 * Both ends on this machine, and addressed as such: a page of another site whose name was pointed
 * at 127.0.0.1 (DNS rebinding) still shows its own name in Host.
 */
function isLocal({ socket, headers }: IncomingMessage): boolean {
  const host = (headers.host ?? '').replace(/:\d+$/, '');
  const isLocalName = ['localhost', '127.0.0.1', '[::1]'].includes(host);
  const peer = socket.remoteAddress ?? '';
  return (
    isLocalName && (peer === '::1' || peer.startsWith('127.') || peer.startsWith('::ffff:127.'))
  );
}

const ours = (file: string): string =>
  fileURLToPath(new URL(`../../assets/explorer/${file}`, import.meta.url));
