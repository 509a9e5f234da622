import { type Environment, loadConfig, millis, port, secret, url } from '@opea/kernel/config';
import { z } from 'zod';

/** The environment of an auth process. */
export const authShape = {
  PORT: port(4005).describe('Port of the subgraph.'),
  HOST: z.string().default('127.0.0.1').describe('Address to listen on.'),
  DATABASE_URL: secret().describe('PostgreSQL of auth alone: `postgres://…`.'),
  NATS_URL: z.string().min(1).describe('NATS servers with JetStream, comma-separated.'),
  CONTEXT_JWKS: z.string().min(1).describe("The router's public keys, a JWK set as JSON text."),
  AUTH_SEALING_KEY: secret().describe('32 bytes in base64 that encrypt the signing keys at rest.'),
  AUTH_ENVIRONMENT: z
    .string()
    .regex(/^[a-z0-9]{1,16}$/)
    .default('live')
    .describe('The middle of API keys: `opea_<environment>_…`.'),
  AUTH_ISSUER: z.string().min(1).default('opea:auth').describe('Issuer of tokens.'),
  AUTH_TOKEN_TTL_MS: millis(600_000).describe('How long a token lives, at most ten minutes.'),
  AUTH_ROTATE_AFTER_MS: millis(30 * 86_400_000).describe('How long a signing key signs.'),
  OTLP_URL: url().optional().describe('Collector of traces.'),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('Least severity.'),
} as const;

export const readConfig = (env: Environment) => loadConfig(authShape, env);
