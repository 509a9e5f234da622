import type { Cache } from '@opea/kernel/cache';
import type { Clock } from '@opea/kernel/clock';
import type { OperationDefinitionNode } from 'graphql';
import type { DemandHints } from '../guards/demand.ts';
import type { Caller } from '../identity/caller.ts';

/** A kind of work that has a limit of its own. */
export type WorkClass = 'models' | 'inference' | 'data' | 'platform';

/** Requests a minute for one principal. */
export type RateLimits = Readonly<Record<WorkClass, number>>;

export const defaultRateLimits: RateLimits = {
  models: 100,
  inference: 1_000,
  data: 50,
  platform: 300,
};

export interface RateLimiter {
  /** Counts one operation. Milliseconds to wait when it is one too many, otherwise `undefined`. */
  take(caller: Caller, work: WorkClass): Promise<number | undefined>;
}

const windowMs = 60_000;

/**
 * Counts in fixed windows of a minute in the shared cache, so that the limit holds over every
 * router process. A tenant may use ten times what one of its principals may.
 */
export function rateLimiter(options: {
  readonly cache: Cache;
  readonly clock: Clock;
  readonly limits: RateLimits;
  /** Told when the cache cannot count: the operation passes, an attack on the cache is no denial. */
  readonly onFailure: () => void;
}): RateLimiter {
  const { cache, clock, limits, onFailure } = options;
  return {
    async take(caller, work) {
      if (caller.kind === 'anonymous') return undefined;
      const now = clock().getTime();
      const window = Math.floor(now / windowMs);
      const { tenant, id } = caller.viewer;
      const count = (scope: string) =>
        cache.increment(`rate:${work}:${scope}:${window}`, { ttlMs: windowMs }).catch(() => {
          onFailure();
          return 0;
        });
      const [ofPrincipal, ofTenant] = await Promise.all([count(`${tenant}:${id}`), count(tenant)]);
      const isOver = ofPrincipal > limits[work] || ofTenant > limits[work] * 10;
      return isOver ? (window + 1) * windowMs - now : undefined;
    },
  };
}

const classes: Readonly<Record<string, WorkClass>> = {
  registry: 'models',
  inference: 'inference',
  feature: 'data',
};

/** The kind of work an operation is: that of the first root field whose subgraph has one. */
export function workClassOf(
  operation: OperationDefinitionNode,
  rootNames: Iterable<string>,
  hints: DemandHints,
): WorkClass {
  const root = `${operation.operation[0]?.toUpperCase()}${operation.operation.slice(1)}`;
  for (const name of rootNames)
    for (const owner of hints.owners.get(`${root}.${name}`) ?? []) {
      const work = classes[owner];
      if (work !== undefined) return work;
    }
  return 'platform';
}
