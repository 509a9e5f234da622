import process from 'node:process';
import { contextVerifier, keySetFrom } from '@opea/kernel/auth';
import { jetstreamBus } from '@opea/kernel/bus';
import { systemClock as clock } from '@opea/kernel/clock';
import { serve } from '@opea/kernel/http';
import { openStack, runUntilSignal } from '@opea/kernel/lifecycle';
import { createLogger } from '@opea/kernel/log';
import { createMetrics } from '@opea/kernel/metrics';
import { openPostgres } from '@opea/kernel/postgres';
import { startTelemetry } from '@opea/kernel/telemetry';
import { parseSealingKey, startAuth } from './auth.ts';
import { readConfig } from './config.ts';
import type { Tables } from './tables.ts';

const config = readConfig(process.env);
const service = 'auth';
const logger = createLogger({ service, level: config.LOG_LEVEL });
const stack = openStack();
stack.use(startTelemetry({ service, otlpUrl: config.OTLP_URL }));
const auth = stack.use(
  await startAuth({
    database: stack.use(await openPostgres<Tables>({ service, url: config.DATABASE_URL })),
    bus: stack.use(await jetstreamBus({ servers: config.NATS_URL.split(',') })),
    verifier: contextVerifier({
      jwks: keySetFrom(config.CONTEXT_JWKS),
      audience: 'opea:auth',
      clock,
    }),
    clock,
    logger,
    metrics: createMetrics({ processMetrics: true }),
    sealingKey: parseSealingKey(config.AUTH_SEALING_KEY.reveal()),
    settings: {
      environment: config.AUTH_ENVIRONMENT,
      issuer: config.AUTH_ISSUER,
      tokenTtlMs: config.AUTH_TOKEN_TTL_MS,
      rotateAfterMs: config.AUTH_ROTATE_AFTER_MS,
    },
  }),
);
const { listener, onUpgrade } = auth.subgraph;
const { url } = stack.use(
  await serve(listener, { port: config.PORT, host: config.HOST, onUpgrade }),
);
logger.info({ url }, 'ready');
await runUntilSignal(stack, process);
