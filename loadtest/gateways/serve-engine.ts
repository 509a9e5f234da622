import { createServer } from 'node:http';
import { createGraph, serializeAnswer } from '@opea/router/engine';
import { type DocumentNode, parse } from 'graphql';

import { supergraphOf } from './supergraph.ts';

// Our engine behind a plain HTTP server: argument 1 is the subgraphs' ports, argument 2 may be `dedup`.

const ports: Record<string, number> = JSON.parse(process.argv[2] ?? '{}');
const graph = createGraph({
  supergraphSdl: supergraphOf(ports),
  sources: Object.fromEntries(
    Object.entries(ports).map(([name, port]) => [
      name,
      { url: `http://127.0.0.1:${port}/graphql` },
    ]),
  ),
  shareInFlight: process.argv[3] === 'dedup',
});
const documents = new Map<string, DocumentNode>();
const { signal } = new AbortController();
const headersFor = async () => ({});

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    void (async () => {
      const { query, variables = {} } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
      const document = documents.get(query) ?? parse(query);
      documents.set(query, document);
      const answer = await graph.execute({
        document,
        query,
        operationName: undefined,
        variables,
        headersFor,
        signal,
      });
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(serializeAnswer(answer));
    })();
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(
    `${JSON.stringify({ port: typeof address === 'object' && address?.port })}\n`,
  );
});
