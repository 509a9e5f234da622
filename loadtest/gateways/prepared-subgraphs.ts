import { createServer, type ServerResponse } from 'node:http';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { execute, parse } from 'graphql';

import { definitions, resolvers, type SubgraphName } from './fixture.ts';

// The benchmark's subgraphs in one process. Each different request is computed once and then answered from a buffer,
// so that what is measured is the gateway. Prints the ports as one line of JSON.

const ports: Record<string, number> = {};
for (const name of ['accounts', 'inventory', 'products', 'reviews'] as const) {
  ports[name] = await listen(name);
}
process.stdout.write(`${JSON.stringify(ports)}\n`);

async function listen(name: SubgraphName): Promise<number> {
  const schema = buildSubgraphSchema({
    typeDefs: parse(definitions[name]),
    resolvers: { ...resolvers[name] },
  });
  const prepared = new Map<string, Promise<Buffer>>();
  const answer = async (body: string): Promise<Buffer> => {
    const { query, variables } = JSON.parse(body);
    const result = await execute({ schema, document: parse(query), variableValues: variables });
    return Buffer.from(JSON.stringify(result));
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      const known = prepared.get(body) ?? answer(body);
      prepared.set(body, known);
      void send(response, known);
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('No port');
  return address.port;
}

async function send(response: ServerResponse, prepared: Promise<Buffer>): Promise<void> {
  const buffer = await prepared;
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': buffer.length,
  });
  response.end(buffer);
}
