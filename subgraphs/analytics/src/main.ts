import process from 'node:process';
import { runSubgraph } from '@opea/kernel/service';
import { startAnalytics } from './analytics.ts';
import { readConfig } from './config.ts';

await runSubgraph({
  service: 'analytics',
  config: readConfig(process.env),
  process,
  start: startAnalytics,
});
