import { type Environment, loadConfig, secret, url } from '@opea/kernel/config';
import { subgraphShape } from '@opea/kernel/service';

/** The environment of a process of the inference subgraph. */
export const inferenceShape = {
  ...subgraphShape({ port: 4004 }),
  RUNTIME_URL: url().describe('The inference runtime.'),
  RUNTIME_TOKEN: secret().optional().describe('The token that the runtime asks for.'),
} as const;

export const readConfig = (env: Environment) => loadConfig(inferenceShape, env);
