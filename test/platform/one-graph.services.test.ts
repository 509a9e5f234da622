import { describe } from 'vitest';
import { startOnServers } from '../kit/on-servers.ts';
import { onePlatform } from './one-graph.contract.ts';

describe('the platform on PostgreSQL, NATS JetStream, S3 and Redis', () => {
  onePlatform(startOnServers);
});
