import process from 'node:process';
import { runSubgraph } from '@opea/kernel/service';
import { parseSealingKey, startAuth } from './auth.ts';
import { readConfig } from './config.ts';

const config = readConfig(process.env);
await runSubgraph({
  service: 'auth',
  config,
  process,
  start: (parts) =>
    startAuth({
      ...parts,
      sealingKey: parseSealingKey(config.AUTH_SEALING_KEY.reveal()),
      settings: {
        environment: config.AUTH_ENVIRONMENT,
        issuer: config.AUTH_ISSUER,
        tokenTtlMs: config.AUTH_TOKEN_TTL_MS,
        rotateAfterMs: config.AUTH_ROTATE_AFTER_MS,
      },
    }),
});
