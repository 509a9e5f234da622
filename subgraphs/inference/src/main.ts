import process from 'node:process';
import { runSubgraph } from '@opea/kernel/service';
import { remoteRuntime } from '@opea/schema/runtime';
import { readConfig } from './config.ts';
import { startInference } from './inference.ts';

const config = readConfig(process.env);
const token = config.RUNTIME_TOKEN?.reveal();
await runSubgraph({
  service: 'inference',
  config,
  process,
  start: (parts) =>
    startInference({
      ...parts,
      runtime: remoteRuntime({ url: config.RUNTIME_URL, ...(token && { token }) }),
    }),
});
