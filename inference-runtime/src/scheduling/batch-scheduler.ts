import type { DispatchReason } from '@opea/schema/runtime';
import { cancelled, deadlineExceeded, overloaded, unavailable } from '../errors.ts';
import type { Cancel } from '../timing/timing.ts';
import type { Answered, Batch, BatchSchedulerOptions, Outcome, Submission } from './batch.ts';
import { CallersInUse } from './callers-in-use.ts';
import { DemandEstimate } from './demand-estimate.ts';
import { latencyModel } from './latency-model.ts';
import type { BatchPolicy } from './policy.ts';
import { ReturningCallers } from './returning-callers.ts';
import { type Ticket, WaitingList } from './waiting-list.ts';

interface Waiter<Work, Answer> extends Ticket {
  readonly work: Work;
  readonly deadlineAt: number | undefined;
  readonly settle: (outcome: Outcome<Answered<Answer>>) => void;
  settled: boolean;
}

/**
 * Trades a little waiting for much better throughput: requests that arrive close to each other run as one batch.
 * Every request is answered exactly once; the queue is bounded; an overload is refused at once instead of being
 * served too late. Follows the dynamic batcher of the Triton Inference Server (preferred sizes, queue delay,
 * priorities, queue policies), with admission by a latency model and fair share between tenants.
 */
export class BatchScheduler<Work, Answer> implements AsyncDisposable {
  readonly #options: BatchSchedulerOptions<Work, Answer>;
  readonly #waiting = new WaitingList<Waiter<Work, Answer>>();
  /** By execution; one that waits inside a worker has not begun. In the order of their dispatch. */
  readonly #running = new Map<string, { readonly rows: number; beganAt: number | undefined }>();
  readonly #latency = latencyModel();
  readonly #demand: DemandEstimate;
  readonly #returning = new ReturningCallers();
  readonly #callers = new CallersInUse();
  #runningRows = 0;
  /** How much longer than estimated admission assumes: raised by each deadline missed, lowered by each met. */
  #caution = 1;
  #policy: BatchPolicy;
  #wake: Cancel | undefined;
  #draining = false;
  #emptied: (() => void)[] = [];

  constructor(options: BatchSchedulerOptions<Work, Answer>) {
    this.#options = options;
    this.#policy = options.policy;
    this.#demand = new DemandEstimate(options.timing);
  }

  get waiting(): { readonly requests: number; readonly rows: number } {
    return { requests: this.#waiting.requests, rows: this.#waiting.rows };
  }

  get running(): number {
    return this.#running.size;
  }

  get policy(): BatchPolicy {
    return this.#policy;
  }

  /** Expected duration of an execution of `rows`, ms, once enough executions were seen. */
  estimate(rows: number): number | undefined {
    return this.#latency.estimate(rows);
  }

  /** Applies to everything that has not started yet. */
  configure(policy: BatchPolicy): void {
    this.#policy = policy;
    this.#evaluateSoon();
  }

  /** Rejects with OVERLOADED, DEADLINE_EXCEEDED, CANCELLED, UNAVAILABLE, or what the execution failed with. */
  submit(work: Work, submission: Submission): Promise<Answered<Answer>> {
    const { timing } = this.#options;
    const { rows, key, tenant, priority, deadlineMs, signal } = submission;
    if (signal.aborted) return Promise.reject(cancelled({}, signal.reason));
    const refusal = this.#refusal(submission);
    if (refusal) return Promise.reject(refusal);

    return new Promise((resolve, reject) => {
      const now = timing.now();
      const stops: Cancel[] = [];
      const waiter: Waiter<Work, Answer> = {
        work,
        rows,
        key,
        tenant,
        priority,
        enqueuedAt: now,
        deadlineAt: deadlineMs === undefined ? undefined : now + deadlineMs,
        settled: false,
        settle(outcome) {
          if (waiter.settled) return;
          waiter.settled = true;
          for (const stop of stops) stop();
          if (outcome.ok) resolve(outcome.answer);
          else reject(outcome.error);
        },
      };
      const onAbort = () => this.#abandon(waiter, 'CANCELLED', cancelled({}, signal.reason));
      signal.addEventListener('abort', onAbort, { once: true });
      stops.push(() => signal.removeEventListener('abort', onAbort));
      if (deadlineMs !== undefined)
        stops.push(timing.after(deadlineMs, () => this.#expire(waiter)));

      this.#waiting.add(waiter);
      this.#callers.see({ tenant, priority }, now);
      this.#returning.came({ tenant, priority }, rows);
      this.#demand.observe(this.#waiting.rows + this.#runningRows);
      this.#evaluateSoon();
    });
  }

  /** Takes nothing new, runs what waits without delay, and resolves when all of it is answered. */
  async drain(): Promise<void> {
    this.#draining = true;
    this.#evaluateSoon();
    if (this.#waiting.requests === 0 && this.#running.size === 0) return;
    await new Promise<void>((resolve) => this.#emptied.push(resolve));
  }

  /** Refuses what waits; what runs is answered to nobody. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#draining = true;
    this.#wake?.();
    for (const waiter of this.#waiting) {
      this.#waiting.remove(waiter);
      waiter.settle({ ok: false, error: this.#stopping() });
    }
    await this.drain();
  }

  #stopping(): Error {
    return unavailable({ reason: `${this.#options.name} is being stopped`, retryAfterMs: 1_000 });
  }

  #refusal({ rows, tenant, priority, deadlineMs }: Submission): Error | undefined {
    const { name, observer } = this.#options;
    if (this.#draining) {
      observer?.refused?.('DRAINING');
      return this.#stopping();
    }
    if (deadlineMs !== undefined) {
      const expectedMs = this.#expectedMs({ rows, tenant, priority });
      if (expectedMs !== undefined && expectedMs * this.#caution > deadlineMs) {
        observer?.refused?.('DEADLINE_UNREACHABLE');
        const retryAfterMs = Math.max(1, Math.ceil(expectedMs * this.#caution - deadlineMs));
        return overloaded({ model: name, reason: 'DEADLINE_UNREACHABLE', retryAfterMs });
      }
    }
    while (this.#waiting.rows + rows > this.#policy.maxQueuedRows) {
      const retryAfterMs = Math.ceil(this.#backlogMs() ?? 1_000);
      const victim = this.#waiting.victimFor({ rows, tenant, priority });
      if (!victim) {
        observer?.refused?.('QUEUE_FULL');
        return overloaded({ model: name, reason: 'QUEUE_FULL', retryAfterMs });
      }
      observer?.refused?.('SHED');
      this.#waiting.remove(victim);
      const error = overloaded({ model: name, reason: 'SHED', retryAfterMs });
      victim.settle({ ok: false, error });
    }
    return undefined;
  }

  /** How long a newcomer's answer would take, ms. */
  #expectedMs(newcomer: { rows: number; tenant: string; priority: number }): number | undefined {
    const { rows, tenant, priority } = newcomer;
    const total = this.#waiting.rowsAhead(priority, tenant, rows) + rows;
    return this.#durationMs(total);
  }

  #backlogMs(): number | undefined {
    return this.#durationMs(Math.max(1, this.#waiting.rows));
  }

  /** How long until `rows` have been served, after what runs now, ms. */
  #durationMs(rows: number): number | undefined {
    const cap = this.#cap();
    // Others who come meanwhile will fill its batch.
    const ofOne = this.#latency.estimate(Math.min(cap, Math.max(rows, this.#demand.rows())));
    if (ofOne === undefined) return undefined;
    return (
      this.#untilFreeMs(ofOne) + Math.ceil(Math.ceil(rows / cap) / this.#options.lanes) * ofOne
    );
  }

  /** How long until a worker has finished what it was given, ms. */
  #untilFreeMs(ofOne: number): number {
    const { lanes, timing } = this.#options;
    if (this.#running.size < lanes) return 0;
    const now = timing.now();
    let given = 0;
    let done = 0;
    for (const { beganAt, rows } of this.#running.values()) {
      const estimate = this.#latency.estimate(rows) ?? ofOne;
      given += estimate;
      if (beganAt !== undefined) done += Math.min(estimate, now - beganAt);
    }
    return Math.max(0, (given - done) / lanes);
  }

  /** The most rows of one execution. */
  #cap(): number {
    const { maxBatch, maxExecutionMs } = this.#policy;
    if (maxExecutionMs === undefined) return maxBatch;
    return Math.min(maxBatch, this.#latency.rowsWithin(maxExecutionMs) ?? maxBatch);
  }

  #abandon(waiter: Waiter<Work, Answer>, reason: 'CANCELLED' | 'DEADLINE', error: Error): void {
    if (waiter.settled) return;
    this.#waiting.remove(waiter);
    this.#options.observer?.dropped?.(reason);
    if (reason === 'DEADLINE') this.#caution = Math.min(3, this.#caution * 1.05);
    waiter.settle({ ok: false, error });
    this.#reportIfEmpty();
  }

  #expire(waiter: Waiter<Work, Answer>): void {
    const stage = this.#waiting.has(waiter) ? 'QUEUED' : 'RUNNING';
    this.#abandon(waiter, 'DEADLINE', deadlineExceeded({ model: this.#options.name, stage }));
  }

  /** Decides when this turn of the event loop is over, so that requests made together are seen together. */
  #evaluateSoon(): void {
    this.#wakeAfter(0);
  }

  #wakeAfter(ms: number): void {
    this.#wake?.();
    this.#wake = this.#options.timing.after(ms, () => {
      this.#wake = undefined;
      this.#evaluate();
    });
  }

  #evaluate(): void {
    while (this.#waiting.requests > 0) {
      const isFree = this.#running.size < this.#options.lanes;
      if (!isFree && !this.#mayWorkAhead()) return;
      const { ready, nextInMs } = this.#readiness();
      const lead = this.#waiting.next(new Set(ready.keys()));
      const reason = lead && ready.get(lead.key);
      if (!isFree && reason !== 'FULL') return;
      if (!lead || !reason) {
        this.#wakeAfter(Math.max(1, nextInMs));
        return;
      }
      const holdMs =
        reason === 'DRAIN' ? 0 : this.#returning.holdMs(lead, this.#options.timing.now());
      if (holdMs > 0) {
        this.#wakeAfter(Math.max(1, holdMs));
        return;
      }
      this.#dispatch(lead, reason);
    }
  }

  /**
   * A full batch of the only caller gains nothing by waiting here: one per lane may wait inside the worker, which then
   * never idles while this thread is busy. With several callers it would overtake who comes meanwhile.
   */
  #mayWorkAhead(): boolean {
    const { lanes } = this.#options;
    return (
      this.#policy.workAhead &&
      this.#running.size < 2 * lanes &&
      this.#waiting.rows >= this.#cap() &&
      this.#callers.count(this.#options.timing.now()) === 1
    );
  }

  /** Which batch keys may run now and why; otherwise how long until one may. */
  #readiness(): { ready: ReadonlyMap<string, DispatchReason>; nextInMs: number } {
    const now = this.#options.timing.now();
    const { maxDelayMs, preferredSizes } = this.#policy;
    const cap = this.#cap();
    const nobodyElse = this.#waiting.rows + this.#runningRows >= this.#demand.rows();
    const ready = new Map<string, DispatchReason>();
    let nextInMs = Number.POSITIVE_INFINITY;
    for (const { key, rows, oldestAt } of this.#waiting.keys()) {
      const inMs = Math.min(oldestAt + maxDelayMs, this.#latestStart(key)) - now;
      if (this.#draining) ready.set(key, 'DRAIN');
      else if (rows >= cap) ready.set(key, 'FULL');
      else if (preferredSizes.some((size) => size <= rows)) ready.set(key, 'PREFERRED');
      else if (now - oldestAt >= maxDelayMs) ready.set(key, 'DELAY');
      else if (nobodyElse) ready.set(key, 'IDLE');
      else if (inMs <= 0) ready.set(key, 'DEADLINE');
      else nextInMs = Math.min(nextInMs, inMs);
    }
    return { ready, nextInMs };
  }

  /** When the requests of a key must start for the most urgent of them to be in time. */
  #latestStart(key: string): number {
    let latest = Number.POSITIVE_INFINITY;
    let rows = 0;
    for (const waiter of this.#waiting.ofKey(key)) {
      rows += waiter.rows;
      if (waiter.deadlineAt !== undefined) latest = Math.min(latest, waiter.deadlineAt);
    }
    // Half as long again: an estimate is an average, and a batch late by a little is late.
    return latest - (this.#latency.estimate(Math.min(rows, this.#cap())) ?? 0) * 1.5;
  }

  #dispatch(lead: Waiter<Work, Answer>, reason: DispatchReason): void {
    const { timing, observer, newId, name } = this.#options;
    const now = timing.now();
    const late: Waiter<Work, Answer>[] = [];
    const limit = this.#limit(lead, reason);
    const most = limit(lead.priority);
    const isBacklog = this.#waiting.rowsOf(lead.key) > most;
    const startsAt = now + this.#untilFreeMs(this.#latency.estimate(most) ?? 0);
    const endsAt = (rows: number) => startsAt + (this.#latency.estimate(rows) ?? 0);
    let taken = 0;
    let dueAt = Number.POSITIVE_INFINITY;
    const batch = this.#waiting.take(lead.key, (waiter) => {
      const due = waiter.deadlineAt ?? Number.POSITIVE_INFINITY;
      // With a backlog a request is judged by a full batch: shrinking batches for the most urgent would starve everybody of
      // throughput, the urgent included. Without one it may run in a small batch, and an estimate may be a little too long.
      const expected = isBacklog ? endsAt(most) : endsAt(waiter.rows) * 0.8 + startsAt * 0.2;
      if (Math.max(now, expected) >= due) {
        late.push(waiter);
        return true;
      }
      const rows = taken + waiter.rows;
      const inTime = isBacklog || endsAt(rows) <= Math.min(dueAt, due);
      if (taken > 0 && !(rows <= limit(waiter.priority) && inTime)) return false;
      taken = rows;
      dueAt = Math.min(dueAt, due);
      return true;
    });
    for (const waiter of late)
      this.#abandon(waiter, 'DEADLINE', deadlineExceeded({ model: name, stage: 'QUEUED' }));
    const running = batch.filter((waiter) => !late.includes(waiter));
    if (running.length === 0) return;

    observer?.dispatched?.({ rows: taken, requests: running.length, reason });
    for (const { enqueuedAt } of running) observer?.waited?.(now - enqueuedAt);
    void this.#run(running, {
      executionId: newId(),
      works: running.map(({ work }) => work),
      rows: taken,
      reason,
    });
  }

  /** How many rows a batch may have when it takes in a request of a priority. */
  #limit(lead: Waiter<Work, Answer>, reason: DispatchReason): (priority: number) => number {
    const cap = this.#cap();
    const preferred = Math.max(
      0,
      ...this.#policy.preferredSizes.filter(
        (size) => size <= Math.min(cap, this.#waiting.rowsOf(lead.key)),
      ),
    );
    const most = reason === 'PREFERRED' && preferred > 0 ? preferred : cap;
    const { maxBlockingMs } = this.#policy;
    const blocking =
      maxBlockingMs === undefined ? undefined : this.#latency.rowsWithin(maxBlockingMs);
    if (blocking === undefined) return () => most;
    const protectedFrom = this.#callers.highest(this.#options.timing.now());
    return (priority) => (priority > protectedFrom ? Math.min(most, blocking) : most);
  }

  async #run(waiters: readonly Waiter<Work, Answer>[], batch: Batch<Work>): Promise<void> {
    const { timing, execute, observer } = this.#options;
    const { executionId, rows, reason } = batch;
    const startedAt = timing.now();
    const waitsInside = this.#running.size >= this.#options.lanes;
    this.#running.set(executionId, { rows, beganAt: waitsInside ? undefined : startedAt });
    this.#runningRows += rows;
    try {
      const { outcomes, computeMs } = await execute(batch);
      const wallMs = timing.now() - startedAt;
      // What waited inside the worker took less than it seems from here.
      const insideMs = waitsInside ? Math.max(0, wallMs - computeMs) : 0;
      this.#latency.observe(rows, wallMs - insideMs);
      observer?.executed?.({ rows, computeMs, wallMs });
      this.#expectBack(waiters, wallMs - insideMs);
      for (const [index, waiter] of waiters.entries()) {
        const outcome = outcomes[index];
        const queueMs = startedAt - waiter.enqueuedAt + insideMs;
        if (waiter.deadlineAt !== undefined) this.#caution = Math.max(1, this.#caution * 0.999);
        if (outcome === undefined) waiter.settle(noAnswer(this.#options.name));
        else if (outcome.ok)
          waiter.settle({
            ok: true,
            answer: {
              answer: outcome.answer,
              queueMs,
              computeMs,
              batch: { size: rows, reason, executionId },
            },
          });
        else waiter.settle(outcome);
      }
    } catch (reasonOfFailure) {
      const error =
        reasonOfFailure instanceof Error ? reasonOfFailure : new Error(String(reasonOfFailure));
      for (const waiter of waiters) waiter.settle({ ok: false, error });
    } finally {
      this.#running.delete(executionId);
      this.#beginNext();
      this.#runningRows -= rows;
      this.#reportIfEmpty();
      if (this.#waiting.requests > 0) this.#evaluateSoon();
    }
  }

  /** A worker that finished begins the oldest execution that waited inside. */
  #beginNext(): void {
    for (const execution of this.#running.values()) {
      if (execution.beganAt !== undefined) continue;
      execution.beganAt = this.#options.timing.now();
      return;
    }
  }

  /** Holding a worker costs throughput: at most 8 % of what an execution takes, and never more than the queue delay. */
  #expectBack(waiters: readonly Waiter<Work, Answer>[], executionMs: number): void {
    if (this.#callers.count(this.#options.timing.now()) < 2) return;
    const holdMs = Math.min(this.#policy.maxDelayMs, executionMs * 0.08);
    // Timers count whole milliseconds: what is shorter would cost more than it may.
    if (holdMs < 1) return;
    this.#returning.answered(waiters, this.#options.timing.now() + holdMs);
  }

  #reportIfEmpty(): void {
    if (this.#waiting.requests > 0 || this.#running.size > 0) return;
    for (const emptied of this.#emptied.splice(0)) emptied();
  }
}

function noAnswer(name: string): { readonly ok: false; readonly error: Error } {
  return { ok: false, error: new Error(`${name} gave no answer for a request of its batch`) };
}
