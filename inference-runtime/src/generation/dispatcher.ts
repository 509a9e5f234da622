import { PlatformError } from '@opea/kernel/errors';
import type { GenerationEvent, RequestOptions, ServedVersion } from '@opea/schema/runtime';
import type { ProgramHandle } from '../engines/worker-host.ts';
import {
  consumerStalled,
  deadlineExceeded,
  executionFailed,
  overloaded,
  unavailable,
} from '../errors.ts';
import type { Cancel, Timing } from '../timing/timing.ts';
import { createAdmissionQueue } from './admission/admission-queue.ts';
import { GenerationMailbox } from './admission/generation-mailbox.ts';
import type {
  DecodeOutcome,
  DecodeRequest,
  DecoderInfo,
  StepReport,
} from './decoder/decoder-messages.ts';
import type { GenerationMetrics } from './generation-metrics.ts';
import type { GeneratorStats } from './generator.ts';
import type { GeneratorConfig } from './generator-config.ts';
import type { ParsedGeneration } from './sampling/generation-options.ts';
import { createTicket, type Ticket } from './ticket.ts';

/** Requests sent to the worker beyond its slots, so that a slot that gets free is taken in the same step. */
const lookahead = 2;

export interface DispatcherOptions {
  readonly handle: ProgramHandle<DecoderInfo>;
  readonly version: ServedVersion;
  readonly config: GeneratorConfig;
  readonly timing: Timing;
  readonly metrics: GenerationMetrics;
  /** For errors, for example `storyteller@3`. */
  readonly model: string;
}

export interface GenerationInput extends ParsedGeneration {
  readonly prompt: string;
}

export interface Dispatcher {
  /** The events of a request; `parse` runs, and the request arrives, when the first event is asked for. */
  open(parse: () => GenerationInput, request: RequestOptions): AsyncIterator<GenerationEvent>;
  stats(): GeneratorStats;
  /** Fails everything under way with UNAVAILABLE. */
  close(): void;
}

interface Generation {
  readonly id: number;
  readonly tenant: string;
  readonly priority: number;
  readonly cost: number;
  readonly input: GenerationInput;
  readonly ticket: Ticket;
  readonly mailbox: GenerationMailbox<GenerationEvent>;
  readonly release: () => void;
  over: boolean;
}

/** Lets requests wait, sends them to the decoder, and hands its tokens to their readers. */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { handle, version, config, timing, metrics, model } = options;
  const { slots, context } = handle.info;
  const queue = createAdmissionQueue<Generation>(config);
  const sent = new Map<number, Generation>();
  let ids = 0;
  let inWorker = 0;
  let closed = false;
  let last: StepReport | undefined;
  let steps = 0;
  let modelMs = 0;
  /** How long a generation holds its slot, milliseconds, a moving average. */
  let serviceMs = 1_000;

  const now = () => timing.now();
  const forget = [handle.onMessage((message) => hear(message as StepReport)), handle.onLost(lost)];

  function hear(report: StepReport): void {
    last = report;
    steps++;
    modelMs += report.runMs;
    metrics.step(report, slots * context);
    for (const event of report.events) {
      const generation = sent.get(event.id);
      if (generation && !generation.over) generation.mailbox.push(generation.ticket.event(event));
    }
  }

  function lost(): void {
    last = undefined;
  }

  function pump(): void {
    while (inWorker < slots + lookahead) {
      const next = queue.take();
      if (next === undefined) break;
      void send(next);
    }
    metrics.queued(queue.size + Math.max(0, inWorker - slots));
  }

  async function send(generation: Generation): Promise<void> {
    const { id, input, tenant: scope } = generation;
    const request: DecodeRequest = { ...input, id, scope };
    sent.set(id, generation);
    inWorker++;
    generation.ticket.sent();
    const start = now();
    try {
      const outcome = await handle.call<DecodeOutcome>('generate', request);
      serviceMs += 0.1 * (now() - start - serviceMs);
      finish(generation, outcome);
    } catch (reason) {
      fail(generation, asPlatformError(reason, model));
    } finally {
      sent.delete(id);
      inWorker--;
      pump();
    }
  }

  /** Whether it was still going on; from here on nothing else is told about it. */
  function end(generation: Generation): boolean {
    if (generation.over) return false;
    generation.over = true;
    generation.release();
    if (!queue.remove(generation) && sent.has(generation.id)) tell('cancel', generation.id);
    return true;
  }

  function finish(generation: Generation, outcome: DecodeOutcome): void {
    sent.delete(generation.id);
    if (!end(generation)) return;
    generation.mailbox.push(generation.ticket.finished(outcome.reason, outcome));
    generation.mailbox.close();
  }

  function cancel(generation: Generation): void {
    if (!end(generation)) return;
    generation.mailbox.push(generation.ticket.finished('CANCELLED'));
    generation.mailbox.close();
    pump();
  }

  function fail(generation: Generation, reason: PlatformError): void {
    if (!end(generation)) return;
    metrics.refused(reason.kind.code);
    generation.mailbox.fail(reason);
    pump();
  }

  /** A worker that died meanwhile holds nothing that could be cancelled, paused or resumed. */
  function tell(method: 'cancel' | 'pause' | 'resume', id: number): void {
    handle.call(method, id).catch(() => {});
  }

  /** Milliseconds until a request that came now could begin. */
  function waitMs(): number {
    const ahead = queue.size + inWorker;
    return ahead < slots ? 0 : Math.ceil(((ahead + 1 - slots) / slots) * serviceMs);
  }

  function arrive(input: GenerationInput, request: RequestOptions): Generation {
    if (closed) throw unavailable({ reason: 'the model is being unloaded', retryAfterMs: 1_000 });
    const { signal, deadlineMs } = request;
    const id = ids++;
    const timers: Cancel[] = [];
    const onAbort = () => cancel(generation);
    const generation: Generation = {
      id,
      tenant: request.tenant,
      priority: request.priority ?? 2,
      cost: input.prompt.length / 4 + input.maxTokens,
      input,
      ticket: createTicket({ version, metrics, now }),
      mailbox: new GenerationMailbox<GenerationEvent>({
        timing,
        capacity: config.mailboxEvents,
        stallMs: config.stallMs,
        onFull: () => tell('pause', id),
        onDrained: () => tell('resume', id),
        onStalled: () => fail(generation, consumerStalled({ stallMs: config.stallMs })),
      }),
      release: () => {
        for (const stop of timers) stop();
        signal.removeEventListener('abort', onAbort);
      },
      over: false,
    };
    admit(generation, deadlineMs);
    if (deadlineMs !== undefined)
      timers.push(
        timing.after(deadlineMs, () => {
          const stage = generation.ticket.startedYet ? 'RUNNING' : 'QUEUED';
          fail(generation, deadlineExceeded({ model, stage }));
        }),
      );
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) cancel(generation);
    pump();
    return generation;
  }

  function admit(generation: Generation, deadlineMs: number | undefined): void {
    const retryAfterMs = Math.max(50, waitMs());
    if (deadlineMs !== undefined && waitMs() > deadlineMs) {
      metrics.refused('DEADLINE');
      throw overloaded({ model, reason: 'the deadline cannot be met', retryAfterMs });
    }
    if (queue.push(generation)) return;
    metrics.refused('QUEUE_FULL');
    throw overloaded({ model, reason: 'the queue is full', retryAfterMs });
  }

  return {
    open(parse, request) {
      let generation: Generation | undefined;
      let left = false;
      return {
        async next() {
          if (left) return { done: true, value: undefined };
          try {
            generation ??= arrive(parse(), request);
            const value = await generation.mailbox.take();
            return value === undefined ? { done: true, value } : { done: false, value };
          } catch (reason) {
            left = true;
            throw reason;
          }
        },
        async return() {
          left = true;
          if (generation) {
            cancel(generation);
            generation.mailbox.discard();
          }
          return { done: true, value: undefined };
        },
      };
    },
    stats: () => ({
      running: last?.running ?? 0,
      waiting: queue.size + (last?.waiting ?? 0),
      slots,
      kvPositions: last?.kvPositions ?? 0,
      kvCapacity: slots * context,
      prefixCacheBytes: last?.prefixCacheBytes ?? 0,
      steps,
      modelMs,
    }),
    close() {
      closed = true;
      for (const stop of forget) stop();
      const gone = unavailable({ reason: 'the model is being unloaded', retryAfterMs: 1_000 });
      for (let next = queue.take(); next; next = queue.take()) fail(next, gone);
      for (const generation of sent.values()) fail(generation, gone);
    },
  };
}

function asPlatformError(reason: unknown, model: string): PlatformError {
  if (reason instanceof PlatformError) return reason;
  const problem = reason instanceof Error ? reason.message : String(reason);
  return executionFailed({ model, reason: problem }, reason);
}
