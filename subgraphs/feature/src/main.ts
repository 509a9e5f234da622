import process from 'node:process';
import { runSubgraph } from '@opea/kernel/service';
import { readConfig } from './config.ts';
import { startFeature } from './feature.ts';

await runSubgraph({
  service: 'feature',
  config: readConfig(process.env),
  process,
  start: startFeature,
});
