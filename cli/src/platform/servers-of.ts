import type { Config } from '../config.ts';
import { CommandFailed, exitCode } from '../exit.ts';
import type { S3Server, ServerOptions } from './server-parts.ts';

export type Servers = Omit<ServerOptions, 'folder'>;

/** The servers that the environment names, or none for the embedded parts. Throws when half of them are missing. */
export function serversOf(config: Config): Servers | undefined {
  const { OPEA_POSTGRES_URL: postgresUrl, OPEA_NATS_URL: nats, OPEA_REDIS_URL: redisUrl } = config;
  if (!postgresUrl && !nats) return undefined;
  if (!postgresUrl || !nats)
    throw incomplete('OPEA_POSTGRES_URL and OPEA_NATS_URL come together: events need both.');
  const s3 = s3Of(config);
  return {
    postgresUrl,
    natsUrls: nats.split(','),
    ...(s3 ? { s3 } : {}),
    ...(redisUrl ? { redisUrl } : {}),
  };
}

function s3Of(config: Config): S3Server | undefined {
  const { OPEA_S3_BUCKET: bucket, OPEA_S3_URL: url } = config;
  const { OPEA_S3_ACCESS_KEY: accessKey, OPEA_S3_SECRET_KEY: secretKey } = config;
  if (!bucket) return undefined;
  if (!accessKey || !secretKey)
    throw incomplete('OPEA_S3_BUCKET needs OPEA_S3_ACCESS_KEY and OPEA_S3_SECRET_KEY.');
  return { url, bucket, accessKey, secretKey };
}

const incomplete = (message: string) => new CommandFailed(message, { exitCode: exitCode.usage });
