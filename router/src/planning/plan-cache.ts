import { LRUCache } from 'lru-cache';

import type { QueryPlan } from './plan.ts';
import type { Planner } from './planner.ts';

export interface PlanCacheOptions {
  readonly planner: Planner;
  /** Plans kept. @default 2_000 */
  readonly maxPlans?: number;
  /** How long one operation may be planned. @default 500 */
  readonly timeoutMs?: number;
  /** How long a refusal to plan is remembered. @default 10_000 */
  readonly refusalMs?: number;
}

/** Plans by canonical operation: planned once, however many ask at the same time. */
export interface PlanCache {
  plan(operation: string): Promise<QueryPlan>;
  /** The operations whose plans were used last, newest first. */
  recent(): readonly string[];
}

export function planCache(options: PlanCacheOptions): PlanCache {
  const { planner, maxPlans = 2_000, timeoutMs = 500, refusalMs = 10_000 } = options;
  const plans = new LRUCache<string, Promise<QueryPlan>>({ max: maxPlans });
  return {
    plan(operation) {
      const known = plans.get(operation);
      if (known) return known;
      const planned = planner
        .ready()
        .then(() => planner.plan(operation, AbortSignal.timeout(timeoutMs)));
      plans.set(operation, planned);
      planned.catch(() => plans.set(operation, planned, { ttl: refusalMs }));
      return planned;
    },
    recent: () => [...plans.keys()],
  };
}
