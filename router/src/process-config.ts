import { type Environment, loadConfig, port, secret, url } from '@opea/kernel/config';
import { z } from 'zod';

const subgraphs = z
  .string()
  .transform((text, context) => {
    const entries = text.split(',').map((entry) => entry.trim().split('=', 2));
    const urls = Object.fromEntries(
      entries.flatMap(([name = '', address = '']) =>
        URL.canParse(address) ? [[name, new URL(address)]] : [],
      ),
    );
    const { auth, registry } = urls;
    if (Object.keys(urls).length === entries.length && auth && registry)
      return { ...urls, auth, registry };
    context.addIssue({
      code: 'custom',
      message: 'Expected `name=url` pairs, auth and registry among them',
    });
    return z.NEVER;
  })
  .describe('Where the subgraphs are: `auth=http://…/graphql,registry=…`.');

/** What a router process needs besides how the router behaves. */
export const processShape = {
  PORT: port(4000).describe('Port of the graph.'),
  HOST: z.string().default('127.0.0.1').describe('Address to listen on.'),
  SUPERGRAPH: z
    .string()
    .default('schema/supergraph.graphql')
    .describe('File of the composed graph.'),
  SUBGRAPHS: subgraphs,
  CONTEXT_KEY: secret().describe('Private Ed25519 JWK that signs the context for subgraphs.'),
  NATS_URL: z.string().min(1).describe('NATS servers with JetStream, comma-separated.'),
  REDIS_URL: secret()
    .optional()
    .describe('Shared counts of the rate limits; without it each process counts alone.'),
  OTLP_URL: url().optional().describe('Collector of traces.'),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('Least severity.'),
} as const;

export const readProcessConfig = (env: Environment) => loadConfig(processShape, env);
