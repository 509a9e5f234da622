import { randomBytes } from 'node:crypto';
import { env } from 'node:process';
import { jetstreamBus } from '@opea/kernel/bus';
import type { Stack } from '@opea/kernel/lifecycle';
import { openPostgres } from '@opea/kernel/postgres';
import type { Tables } from '../tables.ts';
import type { Adapters } from './test-analytics.ts';

const unique = () => `t${randomBytes(6).toString('hex')}`;
const needed = (name: string) => {
  const value = env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
};

/** PostgreSQL, as a role that row level security holds, and JetStream. */
export async function realParts(stack: Stack): Promise<Adapters> {
  const url = needed('OPEA_TEST_POSTGRES_ANALYTICS_URL');
  const servers = needed('OPEA_TEST_NATS_URL');
  const bus = stack.use(await jetstreamBus({ servers, prefix: unique() }));
  return {
    bus,
    database: async () => stack.use(await openPostgres<Tables>({ url, service: unique() })),
  };
}
