import { z } from 'zod';
import { port, secret, url } from '../config/index.ts';

/** What every process reads from its environment. */
export const processShape = (defaults: { readonly port: number }) => ({
  PORT: port(defaults.port).describe('Port to listen on.'),
  HOST: z.string().default('127.0.0.1').describe('Address to listen on.'),
  OTLP_URL: url().optional().describe('OTLP/HTTP collector of traces.'),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('Least severity.'),
});

/** What every subgraph process reads besides. */
export const subgraphShape = (defaults: { readonly port: number }) => ({
  ...processShape(defaults),
  DATABASE_URL: secret().describe('PostgreSQL of this service alone: `postgres://…`.'),
  NATS_URL: z.string().min(1).describe('NATS servers with JetStream, comma-separated.'),
  CONTEXT_JWKS: z.string().min(1).describe("The router's public keys, a JWK set as JSON text."),
});

export type SubgraphConfig = Readonly<z.output<z.ZodObject<ReturnType<typeof subgraphShape>>>>;
