import { availableParallelism } from 'node:os';
import process from 'node:process';
import { jetstreamBus } from '@opea/kernel/bus';
import { systemClock } from '@opea/kernel/clock';
import { healthRoutes } from '@opea/kernel/health';
import { json, routes, serve } from '@opea/kernel/http';
import { openStack, runUntilSignal } from '@opea/kernel/lifecycle';
import { createLogger } from '@opea/kernel/log';
import { createMetrics, metricsContentType, metricsText } from '@opea/kernel/metrics';
import { folderObjects, s3Objects } from '@opea/kernel/objects';
import { startTelemetry } from '@opea/kernel/telemetry';
import { readConfig } from './config.ts';
import { startInferenceRuntime } from './inference-runtime.ts';
import { runtimeRoutes } from './serving/runtime-routes.ts';

const cores = availableParallelism();
const config = readConfig(process.env, cores);
const logger = createLogger({ service: 'inference-runtime', level: config.logLevel });
const metrics = createMetrics({ processMetrics: true });
const stack = openStack();
stack.use(startTelemetry({ service: 'inference-runtime', otlpUrl: config.otlpUrl }));
const bus = stack.use(await jetstreamBus({ servers: config.natsUrl }));
const objects = stack.use(
  config.objectsFolder === undefined
    ? await s3Objects(config.s3)
    : await folderObjects({ folder: config.objectsFolder }),
);
const runtime = stack.use(
  await startInferenceRuntime({
    objects,
    bus,
    cacheFolder: config.cacheFolder,
    clock: systemClock,
    logger,
    metrics,
    cores,
    config: config.runtime,
  }),
);
const answer = routes(
  {
    ...healthRoutes({ ready: () => runtime.ready() }),
    ...runtimeRoutes({
      runtime,
      logger,
      maxRequestBytes: config.maxRequestBytes,
      ...(config.token && { token: config.token.reveal() }),
    }),
    'GET /metrics': async (_request, response) => {
      response.writeHead(200, { 'content-type': metricsContentType });
      response.end(await metricsText(metrics));
    },
  },
  logger,
);
const service = stack.use(
  await serve(
    (request, response) => {
      if (answer(request, response)) return;
      const error = { code: 'NOT_FOUND', message: 'There is nothing here.' };
      json(response, 404, { error });
    },
    { port: config.port, host: config.host },
  ),
);
logger.info({ url: service.url }, 'the inference runtime is up');
await runUntilSignal(stack, process);
