/** One side of the platform, what it owns, and how it learns of the others. */
export interface BoundedContext {
  /** The workspace's folder. */
  readonly folder: string;
  /** Stores that nobody else opens. */
  readonly owns: readonly string[];
  /** Event contexts it publishes. */
  readonly publishes: readonly string[];
  /** Event contexts it consumes. */
  readonly consumes: readonly string[];
  /** Other contexts whose entities its types point at, through the graph alone. */
  readonly references: readonly string[];
}

/** Who knows whom, as data: a test holds the code to it. */
export const contextMap: Readonly<Record<string, BoundedContext>> = {
  auth: {
    folder: 'subgraphs/auth',
    owns: ['postgres:auth'],
    publishes: ['auth'],
    consumes: ['auth'],
    references: [],
  },
  registry: {
    folder: 'subgraphs/registry',
    owns: ['postgres:registry', 'objects:artifacts'],
    publishes: ['registry'],
    consumes: ['registry'],
    references: ['auth', 'feature'],
  },
  feature: {
    folder: 'subgraphs/feature',
    owns: ['postgres:feature'],
    publishes: ['feature'],
    consumes: ['feature'],
    references: ['auth'],
  },
  inference: {
    folder: 'subgraphs/inference',
    owns: ['postgres:inference'],
    publishes: ['inference'],
    consumes: [],
    references: ['auth', 'registry', 'feature'],
  },
  analytics: {
    folder: 'subgraphs/analytics',
    owns: ['postgres:analytics'],
    publishes: [],
    consumes: ['inference'],
    references: ['auth', 'registry'],
  },
  'inference-runtime': {
    folder: 'inference-runtime',
    owns: ['folder:model-cache'],
    publishes: [],
    consumes: ['registry'],
    references: [],
  },
  router: {
    folder: 'router',
    owns: ['cache:limits'],
    publishes: [],
    consumes: ['auth'],
    references: ['auth', 'registry', 'feature', 'inference', 'analytics'],
  },
};
