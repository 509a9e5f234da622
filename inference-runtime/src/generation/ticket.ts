import type { FinishReason, GenerationEvent, ServedVersion } from '@opea/schema/runtime';
import type { DecodeOutcome, DecoderEvent } from './decoder/decoder-messages.ts';
import type { GenerationMetrics } from './generation-metrics.ts';

export interface TicketOptions {
  readonly version: ServedVersion;
  readonly metrics: GenerationMetrics;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** Follows one request from arrival to end and tells it as the protocol's events. */
export interface Ticket {
  /** Milliseconds since it came. */
  readonly ageMs: number;
  readonly startedYet: boolean;
  /** It went to the worker. */
  sent(): void;
  event(event: DecoderEvent): GenerationEvent;
  finished(reason: FinishReason, outcome?: DecodeOutcome): GenerationEvent;
}

export function createTicket({ version, metrics, now }: TicketOptions): Ticket {
  const arrived = now();
  let promptTokens = 0;
  let sentMs = 0;
  let queueMs: number | undefined;
  let firstTokenMs: number | undefined;
  let lastToken = 0;
  let completionTokens = 0;
  let text = '';

  function count(): void {
    const at = now();
    if (firstTokenMs === undefined) {
      firstTokenMs = at - arrived;
      metrics.firstToken(firstTokenMs);
    } else metrics.nextToken(at - lastToken);
    lastToken = at;
    completionTokens++;
  }

  return {
    get ageMs() {
      return now() - arrived;
    },
    get startedYet() {
      return queueMs !== undefined;
    },
    sent() {
      sentMs = now() - arrived;
    },
    event(event) {
      if (event.type === 'started') {
        promptTokens = event.promptTokens;
        queueMs = sentMs + event.waitedMs;
        metrics.started(queueMs, promptTokens, event.cachedTokens);
        return { type: 'started', version, promptTokens, queueMs };
      }
      count();
      text += event.text;
      const { index, tokenId, logprob } = event;
      return { type: 'token', index, text: event.text, tokenId, logprob };
    },
    finished(reason, outcome) {
      const totalMs = now() - arrived;
      const decodingMs = totalMs - (firstTokenMs ?? totalMs);
      metrics.finished(reason, totalMs);
      return {
        type: 'finished',
        reason,
        text,
        usage: { promptTokens, completionTokens },
        timing: {
          queueMs: queueMs ?? totalMs,
          timeToFirstTokenMs: firstTokenMs ?? null,
          totalMs,
          tokensPerSecond: decodingMs > 0 ? ((completionTokens - 1) * 1000) / decodingMs : 0,
        },
        batch: { meanSize: outcome?.meanBatch ?? 1 },
      };
    },
  };
}
