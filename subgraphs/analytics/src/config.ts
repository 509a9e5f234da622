import { type Environment, loadConfig } from '@opea/kernel/config';
import { subgraphShape } from '@opea/kernel/service';

/** The environment of a process of the analytics subgraph. */
export const analyticsShape = subgraphShape({ port: 4003 });

export const readConfig = (env: Environment) => loadConfig(analyticsShape, env);
