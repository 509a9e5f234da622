import type { DispatchReason } from '@opea/schema/runtime';
import type { Timing } from '../timing/timing.ts';
import type { BatchPolicy } from './policy.ts';

export interface Batch<Work> {
  readonly executionId: string;
  readonly works: readonly Work[];
  readonly rows: number;
  readonly reason: DispatchReason;
}

/** What became of one request of a batch. */
export type Outcome<Answer> =
  | { readonly ok: true; readonly answer: Answer }
  | { readonly ok: false; readonly error: Error };

export interface Executed<Answer> {
  /** One per work, in order. */
  readonly outcomes: readonly Outcome<Answer>[];
  /** Time in the engine, ms. */
  readonly computeMs: number;
}

export interface Submission {
  readonly rows: number;
  /** Only equal keys share a batch. */
  readonly key: string;
  readonly tenant: string;
  /** 1 is served first, 3 last. */
  readonly priority: number;
  /** Answer within this many ms, or DEADLINE_EXCEEDED. */
  readonly deadlineMs?: number;
  readonly signal: AbortSignal;
}

export interface Answered<Answer> {
  readonly answer: Answer;
  readonly queueMs: number;
  readonly computeMs: number;
  readonly batch: {
    readonly size: number;
    readonly reason: DispatchReason;
    readonly executionId: string;
  };
}

export type Refusal = 'QUEUE_FULL' | 'SHED' | 'DEADLINE_UNREACHABLE' | 'DRAINING';

/** Hears what the scheduler does, for metrics. Durations in ms. */
export interface SchedulerObserver {
  refused?(reason: Refusal): void;
  dropped?(reason: 'CANCELLED' | 'DEADLINE'): void;
  dispatched?(batch: { rows: number; requests: number; reason: DispatchReason }): void;
  waited?(ms: number): void;
  executed?(batch: { rows: number; computeMs: number; wallMs: number }): void;
}

export interface BatchSchedulerOptions<Work, Answer> {
  /** The model, for errors. */
  readonly name: string;
  readonly policy: BatchPolicy;
  /** Executions that may run side by side. */
  readonly lanes: number;
  readonly execute: (batch: Batch<Work>) => Promise<Executed<Answer>>;
  readonly timing: Timing;
  readonly newId: () => string;
  readonly observer?: SchedulerObserver;
}
