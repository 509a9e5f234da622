import { loadConfig, port } from '@opea/kernel/config';
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
  NO_COLOR: z.string().optional().describe('Anything turns colours off.'),
};

export const readConfig = (env: Readonly<Record<string, string | undefined>>) =>
  loadConfig(cliShape, env);

export type Config = ReturnType<typeof readConfig>;
