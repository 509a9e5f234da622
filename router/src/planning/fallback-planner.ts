import { type Planner, PlanningFailed } from './planner.ts';

export interface FallbackPlannerOptions {
  readonly first: Planner;
  /** Made when first needed. */
  readonly makeSecond: () => Planner;
  /** How long the second may take, its start not counted. @default 2_000 */
  readonly secondMs?: number;
}

/** Asks the second planner where the first has no plan. */
export function fallbackPlanner(options: FallbackPlannerOptions): Planner {
  const { first, makeSecond, secondMs = 2_000 } = options;
  let second: Planner | undefined;
  return {
    ready: () => first.ready(),
    async plan(operation, signal) {
      try {
        return await first.plan(operation, signal);
      } catch (error) {
        if (!(error instanceof PlanningFailed)) throw error;
        second ??= makeSecond();
        await second.ready();
        return second.plan(operation, AbortSignal.timeout(secondMs));
      }
    },
    async [Symbol.asyncDispose]() {
      await first[Symbol.asyncDispose]();
      await second?.[Symbol.asyncDispose]();
    },
  };
}
