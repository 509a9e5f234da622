import { loadConfig, port, secret } from '@opea/kernel/config';
import { z } from 'zod';

/** The environment of the command line; options win over it. */
export const cliShape = {
  OPEA_URL: z.url().optional().describe('The platform to talk to.'),
  OPEA_API_KEY: z.string().optional().describe('The key to talk with.'),
  OPEA_DATA: z.string().default('.opea').describe('The data folder of `opea up`.'),
  OPEA_HOST: z.string().default('127.0.0.1').describe('The address `opea up` listens on.'),
  OPEA_PORT: port(4000).describe('The port `opea up` listens on.'),
  OPEA_LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('How much `opea up` writes to opea.log in the data folder.'),
  OPEA_CORES: z.coerce
    .number()
    .int()
    .positive()
    .optional()
    .describe('The cores that inference may use; all of the machine without it.'),
  OPEA_OTLP_URL: z.url().optional().describe('An OTLP/HTTP collector for traces.'),
  OPEA_POSTGRES_URL: secret()
    .optional()
    .describe('PostgreSQL with pgvector for `opea up`, instead of the embedded one.'),
  OPEA_NATS_URL: z
    .string()
    .optional()
    .describe('NATS servers with JetStream, comma-separated; needed with OPEA_POSTGRES_URL.'),
  OPEA_S3_URL: z.url().optional().describe('S3 server; AWS itself when left out.'),
  OPEA_S3_BUCKET: z.string().optional().describe('Bucket for objects, instead of a folder.'),
  OPEA_S3_ACCESS_KEY: z.string().optional().describe('Access key of the bucket.'),
  OPEA_S3_SECRET_KEY: secret().optional().describe('Secret key of the bucket.'),
  OPEA_REDIS_URL: secret().optional().describe('Redis for caches and limits, instead of memory.'),
  NO_COLOR: z.string().optional().describe('Anything turns colours off.'),
};

export const readConfig = (env: Readonly<Record<string, string | undefined>>) =>
  loadConfig(cliShape, env);

export type Config = ReturnType<typeof readConfig>;
