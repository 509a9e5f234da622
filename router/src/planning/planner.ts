import type { QueryPlan } from './plan.ts';

/** Turns a canonical operation into a plan, without holding up the event loop. */
export interface Planner extends AsyncDisposable {
  /** Resolves once planning costs no start any more. */
  ready(): Promise<void>;
  /**
   * Rejects with `PlanningFailed` when the operation has no plan, and with the signal's reason
   * when the caller stops waiting; planning then stops as well.
   */
  plan(operation: string, signal: AbortSignal): Promise<QueryPlan>;
}

export class PlanningFailed extends Error {
  override readonly name = 'PlanningFailed';
}
