import { ApolloGateway } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';

import { supergraphOf } from './supergraph.ts';

// @apollo/gateway on Apollo Server 5: argument 1 is the subgraphs' ports.

const ports: Record<string, number> = JSON.parse(process.argv[2] ?? '{}');
const server = new ApolloServer({
  gateway: new ApolloGateway({ supergraphSdl: supergraphOf(ports) }),
  csrfPrevention: false,
});
const { url } = await startStandaloneServer(server, { listen: { port: 0, host: '127.0.0.1' } });
process.stdout.write(`${JSON.stringify({ port: Number(new URL(url).port) })}\n`);
