import process from 'node:process';
import { contextSigner, signingKeysFrom } from '@opea/kernel/auth';
import { jetstreamBus } from '@opea/kernel/bus';
import { memoryCache, redisCache } from '@opea/kernel/cache';
import { systemClock as clock } from '@opea/kernel/clock';
import { serve } from '@opea/kernel/http';
import { openStack, runUntilSignal } from '@opea/kernel/lifecycle';
import { createLogger } from '@opea/kernel/log';
import { createMetrics } from '@opea/kernel/metrics';
import { startTelemetry } from '@opea/kernel/telemetry';
import { configFrom, readConfig } from './config.ts';
import { remoteIdentity } from './identity/remote-identity.ts';
import { readProcessConfig } from './process-config.ts';
import { startRouter } from './router.ts';

const config = configFrom(readConfig(process.env));
const world = readProcessConfig(process.env);
const logger = createLogger({ service: 'router', level: world.LOG_LEVEL });
const stack = openStack();
stack.use(startTelemetry({ service: 'router', otlpUrl: world.OTLP_URL }));

const { auth, registry } = world.SUBGRAPHS;
const { privateKey, kid } = await signingKeysFrom(JSON.parse(world.CONTEXT_KEY.reveal()));
const router = stack.use(
  await startRouter({
    supergraph: { file: world.SUPERGRAPH },
    sources: Object.fromEntries(
      Object.entries(world.SUBGRAPHS).map(([name, { href }]) => [name, { url: href }]),
    ),
    identity: remoteIdentity({
      url: auth,
      issuer: config.tokenIssuer,
      audience: config.tokenAudience,
      algorithms: config.tokenAlgorithms,
      clock,
    }),
    signer: contextSigner({ privateKey, kid, clock }),
    bus: stack.use(await jetstreamBus({ servers: world.NATS_URL.split(',') })),
    cache: stack.use(
      world.REDIS_URL === undefined ? memoryCache() : await redisCache({ url: world.REDIS_URL }),
    ),
    clock,
    logger,
    metrics: createMetrics({ processMetrics: true }),
    config,
    mounts: [
      { prefix: '/artifacts', target: new URL('/', registry) },
      { prefix: '/auth', target: new URL('/', auth) },
    ],
  }),
);
const { url } = stack.use(
  await serve(router.listener, {
    port: world.PORT,
    host: world.HOST,
    onUpgrade: router.onUpgrade,
  }),
);
logger.info({ url }, 'ready');
await runUntilSignal(stack, process);
