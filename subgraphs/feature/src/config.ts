import { type Environment, loadConfig } from '@opea/kernel/config';
import { subgraphShape } from '@opea/kernel/service';

/** The environment of a process of the feature subgraph. */
export const featureShape = subgraphShape({ port: 4002 });

export const readConfig = (env: Environment) => loadConfig(featureShape, env);
