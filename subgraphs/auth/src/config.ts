import { type Environment, loadConfig, millis, secret } from '@opea/kernel/config';
import { subgraphShape } from '@opea/kernel/service';
import { z } from 'zod';

/** The environment of an auth process. */
export const authShape = {
  ...subgraphShape({ port: 4005 }),
  AUTH_SEALING_KEY: secret().describe('32 bytes in base64 that encrypt the signing keys at rest.'),
  AUTH_ENVIRONMENT: z
    .string()
    .regex(/^[a-z0-9]{1,16}$/)
    .default('live')
    .describe('The middle of API keys: `opea_<environment>_…`.'),
  AUTH_ISSUER: z.string().min(1).default('opea:auth').describe('Issuer of tokens.'),
  AUTH_TOKEN_TTL_MS: millis(600_000).describe('How long a token lives, at most ten minutes.'),
  AUTH_ROTATE_AFTER_MS: millis(30 * 86_400_000).describe('How long a signing key signs.'),
} as const;

export const readConfig = (env: Environment) => loadConfig(authShape, env);
