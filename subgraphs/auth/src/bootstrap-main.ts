/**
 * Makes the first tenant and its administrator, and prints the administrator's API key: once, to standard output.
 * Reads the same environment as the auth service. `node dist/bootstrap-main.js <tenant> <principal>`.
 */
import process from 'node:process';
import { contextVerifier, keySetFrom } from '@opea/kernel/auth';
import { jetstreamBus } from '@opea/kernel/bus';
import { systemClock as clock } from '@opea/kernel/clock';
import { openStack } from '@opea/kernel/lifecycle';
import { createLogger } from '@opea/kernel/log';
import { createMetrics } from '@opea/kernel/metrics';
import { openPostgres } from '@opea/kernel/postgres';
import { parseSealingKey, startAuth } from './auth.ts';
import { readConfig } from './config.ts';
import type { Tables } from './tables.ts';

const [tenant, principal] = process.argv.slice(2);
if (tenant === undefined || principal === undefined) {
  process.stderr.write('Usage: node dist/bootstrap-main.js <tenant> <principal>\n');
  process.exit(2);
}

const config = readConfig(process.env);
const stack = openStack();
try {
  const auth = stack.use(
    await startAuth({
      database: stack.use(
        await openPostgres<Tables>({ service: 'auth', url: config.DATABASE_URL }),
      ),
      bus: stack.use(await jetstreamBus({ servers: config.NATS_URL.split(',') })),
      verifier: contextVerifier({
        jwks: keySetFrom(config.CONTEXT_JWKS),
        audience: 'opea:auth',
        clock,
      }),
      clock,
      logger: createLogger({ service: 'auth', level: 'error' }),
      metrics: createMetrics(),
      sealingKey: parseSealingKey(config.AUTH_SEALING_KEY.reveal()),
      settings: { environment: config.AUTH_ENVIRONMENT },
    }),
  );
  const { apiKey } = await auth.bootstrap({ tenant, principal });
  if (apiKey === undefined) {
    process.stderr.write(`${principal} of ${tenant} is there already; its key was shown before.\n`);
    process.exitCode = 1;
  } else process.stdout.write(`${apiKey}\n`);
} finally {
  await stack[Symbol.asyncDispose]();
}
