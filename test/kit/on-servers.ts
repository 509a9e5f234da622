import { randomBytes } from 'node:crypto';
import { type DataFolder, serverParts } from '@opea/cli/platform';
import { openPostgres } from '@opea/kernel/postgres';
import { sql } from 'kysely';
import { type RunningPlatform, startTestPlatform } from './running-platform.ts';

/** A platform on the servers that the environment names, in a database, stream and bucket of its own. */
export async function startOnServers(): Promise<RunningPlatform> {
  const name = `e2e${randomBytes(5).toString('hex')}`;
  const postgresUrl = await newDatabase(name);
  return startTestPlatform({
    openParts: (folder: DataFolder) =>
      serverParts({
        folder,
        postgresUrl,
        natsUrls: [required('NATS_URL')],
        natsPrefix: name,
        redisUrl: required('REDIS_URL'),
        s3: {
          url: required('S3_URL'),
          bucket: name,
          accessKey: required('S3_ACCESS_KEY'),
          secretKey: required('S3_SECRET_KEY'),
        },
      }),
  });
}

export async function newDatabase(name: string): Promise<string> {
  const url = required('POSTGRES_URL');
  await using admin = await openPostgres({ url, service: 'e2e' });
  await sql`CREATE DATABASE ${sql.id(name)}`.execute(admin.query);
  const own = new URL(url);
  own.pathname = `/${name}`;
  return own.href;
}

export function required(name: string): string {
  const value = process.env[`OPEA_TEST_${name}`];
  if (!value) throw new Error(`OPEA_TEST_${name} is not set: start servers with scripts/services`);
  return value;
}
