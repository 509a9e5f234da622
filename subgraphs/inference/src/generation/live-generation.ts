import { PlatformError, unavailable } from '@opea/kernel/errors';
import type { FinishReason, GenerationEvent } from '@opea/schema/runtime';
import type { GenerationRow } from '../tables.ts';

/** The version that answers, as far as facts about it need. */
export interface AnsweringVersion {
  readonly versionId: string;
  readonly modelId: string;
}

/** One token as it is replayed: its text, and its probability's natural logarithm. */
export interface TokenPiece {
  readonly text: string;
  readonly logprob: number;
}

export interface TokenUsage {
  readonly promptTokens: number;
  readonly completionTokens: number;
}

/** Durations in ms. */
export interface GenerationTiming {
  readonly queueMs: number;
  readonly timeToFirstTokenMs: number | null;
  readonly totalMs: number;
  readonly tokensPerSecond: number;
  readonly meanBatchSize: number;
}

export interface GenerationEnd {
  readonly reason: FinishReason;
  readonly text: string;
  readonly usage: TokenUsage;
  /** Null when it was cancelled and the runtime's last word did not come through. */
  readonly timing: GenerationTiming | null;
}

/**
 * A generation while it runs, and for a while after: what it has produced so far, and a way to follow it from
 * any token on. Followers read at their own pace from one buffer, which the token limit bounds.
 */
export class LiveGeneration {
  readonly id: string;
  readonly version: AnsweringVersion;
  readonly #pieces: TokenPiece[] = [];
  readonly #aborter: AbortController;
  #waiting: (() => void)[] = [];
  #promptTokens = 0;
  #end: GenerationEnd | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: { id: string; version: AnsweringVersion; aborter: AbortController }) {
    this.id = options.id;
    this.version = options.version;
    this.#aborter = options.aborter;
  }

  /** A generation that ended earlier, as it was kept. */
  static revive(row: GenerationRow): LiveGeneration {
    const { id, version_id: versionId, model_id: modelId } = row;
    const version = { versionId, modelId };
    const revived = new LiveGeneration({ id, version, aborter: new AbortController() });
    revived.#pieces.push(...row.pieces);
    revived.#promptTokens = row.prompt_tokens;
    if (row.state === 'FINISHED')
      revived.#end = {
        reason: row.finish_reason ?? 'ERROR',
        text: row.text,
        usage: { promptTokens: row.prompt_tokens, completionTokens: row.completion_tokens },
        timing: row.timing,
      };
    else revived.#failure = { error: unavailable({ retryAfterMs: 1_000 }) };
    return revived;
  }

  get pieces(): readonly TokenPiece[] {
    return this.#pieces;
  }

  get text(): string {
    return this.#end?.text ?? this.#pieces.map(({ text }) => text).join('');
  }

  get usage(): TokenUsage {
    return (
      this.#end?.usage ?? {
        promptTokens: this.#promptTokens,
        completionTokens: this.#pieces.length,
      }
    );
  }

  get end(): GenerationEnd | undefined {
    return this.#end;
  }

  /** What it failed with, `undefined` while it did not. */
  get failure(): unknown {
    return this.#failure?.error;
  }

  get state(): 'QUEUED' | 'RUNNING' | 'FINISHED' | 'FAILED' {
    if (this.#failure) return 'FAILED';
    if (this.#end) return 'FINISHED';
    return this.#promptTokens > 0 ? 'RUNNING' : 'QUEUED';
  }

  /** Stops it: its slot is freed at the next step. */
  cancel(): void {
    this.#aborter.abort();
  }

  /** Takes in what the runtime says until it ends. Never throws: the failure waits for whoever follows. */
  async run(events: AsyncIterable<GenerationEvent>): Promise<void> {
    try {
      for await (const event of events) this.#take(event);
      if (!this.#end) throw new Error('The runtime ended a generation without saying so');
    } catch (error) {
      if (this.#aborter.signal.aborted && isCancelled(error)) this.#end = this.#cutOff();
      else this.#failure = { error };
    } finally {
      this.#wake();
    }
  }

  /** Resolves when it has ended; throws what it failed with. */
  async ended(): Promise<GenerationEnd> {
    for (;;) {
      if (this.#failure) throw this.#failure.error;
      if (this.#end) return this.#end;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** The token at `index` once it is there; `undefined` when the generation ended before it. */
  async piece(index: number, signal: AbortSignal): Promise<TokenPiece | undefined> {
    for (;;) {
      const piece = this.#pieces[index];
      if (piece) return piece;
      if (this.#failure) throw this.#failure.error;
      if (this.#end || signal.aborted) return undefined;
      await this.#next(signal);
    }
  }

  #take(event: GenerationEvent): void {
    if (event.type === 'started') this.#promptTokens = event.promptTokens;
    else if (event.type === 'token')
      this.#pieces.push({ text: event.text, logprob: event.logprob });
    else
      this.#end = {
        reason: event.reason,
        text: event.text,
        usage: event.usage,
        timing: { ...event.timing, meanBatchSize: event.batch.meanSize },
      };
    this.#wake();
  }

  /** How it ended when its cancelling cut the connection to the runtime too. */
  #cutOff(): GenerationEnd {
    const { text, usage } = this;
    return { reason: 'CANCELLED', text, usage, timing: null };
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done);
        this.#waiting = this.#waiting.filter((waiting) => waiting !== done);
        resolve();
      };
      signal.addEventListener('abort', done, { once: true });
      this.#waiting.push(done);
    });
  }
}

const isCancelled = (error: unknown): boolean =>
  error instanceof PlatformError && error.kind.code === 'CANCELLED';
