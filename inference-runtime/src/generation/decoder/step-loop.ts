import { executionFailed } from '../../errors.ts';
import { type Vocabulary, vocabularyOf } from '../constraint/token-constraint.ts';
import type { TextCodec } from '../text/text-codec.ts';
import type {
  DecodeOutcome,
  DecodeRequest,
  DecoderEvent,
  DecoderLimits,
  StepReport,
} from './decoder-messages.ts';
import type { DecoderModel, DecoderRun, RunOptions } from './decoder-model.ts';
import { createPrefixCache, type PrefixCache } from './prefix-cache.ts';
import { Roster } from './roster.ts';
import { nextChunk, readRequest, type Sequence } from './sequence.ts';
import { createTokenTaker, type TakeToken } from './take-token.ts';

/** Padding to whole buckets changes no bit of a result; `batch-invariance.ts` checks it for each model. */
const strideBucket = 64;

/** Prompts that are computed at a time; the others wait with their slot. */
const prefillRows = 4;

export interface StepLoopOptions {
  readonly model: DecoderModel;
  readonly codec: TextCodec;
  readonly limits: DecoderLimits;
  readonly report: (report: StepReport) => void;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** Disposing cancels what is under way and waits for the run that is in flight: a native call must not be torn away. */
export interface StepLoop extends AsyncDisposable {
  /** Resolves when the generation is over; INVALID_INPUT when the prompt does not fit. */
  generate(request: DecodeRequest): Promise<DecodeOutcome>;
  /** Takes effect before the next run. Unknown ids are ignored. */
  cancel(id: number): void;
  /** A paused sequence keeps its place and is left out of the steps. */
  pause(id: number, paused: boolean): void;
}

/** Rows of keys and values that a step loop reserves, each as long as the context. */
export function reservedRows({ slots }: DecoderLimits): number {
  return slots + Math.min(slots, prefillRows);
}

/**
 * Continuous batching (Orca, Yu et al. 2022): sequences join and leave between steps. A step decodes one token for every
 * running sequence first, then computes one chunk of waiting prompts, within a budget. Every sequence computes the same runs
 * whatever runs beside it: its prompt is cut at the same places and its padding hides behind masks.
 */
export function createStepLoop(options: StepLoopOptions): StepLoop {
  return new Steps(options);
}

class Steps implements StepLoop {
  readonly #options: StepLoopOptions;
  readonly #takeToken: TakeToken;
  readonly #prefixes: PrefixCache;
  readonly #known = new Map<number, Sequence>();
  readonly #waiting: Sequence[] = [];
  readonly #prefilling: Roster;
  readonly #decoding: Roster;
  readonly #parked = new Set<Sequence>();
  #words: Vocabulary | undefined;
  #events: DecoderEvent[] = [];
  /** Settled after the step's report, so that an answer's end never overtakes its tokens. */
  #endings: (() => void)[] = [];
  #promptTokens = 0;
  #runMs = 0;
  #running = false;
  #loop: Promise<void> = Promise.resolve();

  constructor(options: StepLoopOptions) {
    const { model, limits } = options;
    const { slots, context, prefillChunk, prefixCacheBytes } = limits;
    const layout = { ...model.layout, context };
    this.#options = options;
    this.#takeToken = createTokenTaker(layout);
    this.#prefixes = createPrefixCache({ blockTokens: prefillChunk, maxBytes: prefixCacheBytes });
    this.#decoding = new Roster({ layout, maxRows: slots, bucket: strideBucket });
    this.#prefilling = new Roster({
      layout,
      maxRows: Math.min(slots, prefillRows),
      bucket: strideBucket,
    });
  }

  generate(request: DecodeRequest): Promise<DecodeOutcome> {
    const { codec, limits, now } = this.#options;
    const read = readRequest(request, {
      codec,
      context: limits.context,
      vocabulary: () => this.#vocabulary(),
      arrived: now(),
    });
    return new Promise((resolve, reject) => {
      const sequence = { ...read, resolve, reject };
      this.#known.set(request.id, sequence);
      this.#waiting.push(sequence);
      this.#wake();
    });
  }

  cancel(id: number): void {
    const sequence = this.#known.get(id);
    if (sequence) sequence.cancelled = true;
    this.#wake();
  }

  pause(id: number, paused: boolean): void {
    const sequence = this.#known.get(id);
    if (sequence) sequence.paused = paused;
    this.#wake();
  }

  /** Made when a request with a schema first comes. */
  #vocabulary(): Vocabulary {
    const { codec, model } = this.#options;
    const { vocab: size, eos: ends } = model.layout;
    this.#words ??= vocabularyOf({ codec, size, ends });
    return this.#words;
  }

  get #taken(): number {
    return this.#prefilling.size + this.#decoding.size + this.#parked.size;
  }

  get #canJoin(): boolean {
    const free = this.#taken < this.#options.limits.slots && !this.#prefilling.full;
    return free && this.#waiting.length > 0;
  }

  #wake(): void {
    if (!this.#running) this.#loop = this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const sequence of this.#known.values()) sequence.cancelled = true;
    this.#wake();
    await this.#loop;
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      do {
        const start = this.#options.now();
        this.#settleRequests();
        await this.#decode();
        this.#dropCancelled();
        await this.#prefill();
        this.#report(start);
      } while (this.#canJoin || this.#prefilling.size + this.#decoding.size > 0);
    } finally {
      this.#running = false;
    }
  }

  #report(start: number): void {
    const { now, report } = this.#options;
    const parked = [...this.#parked].reduce((sum, one) => sum + (one.parked?.positions ?? 0), 0);
    report({
      events: this.#events,
      running: this.#taken,
      waiting: this.#waiting.length,
      kvPositions: this.#decoding.lane.positions + this.#prefilling.lane.positions + parked,
      prefixCacheBytes: this.#prefixes.bytes,
      promptTokens: this.#promptTokens,
      stepMs: now() - start,
      runMs: this.#runMs,
    });
    for (const end of this.#endings) end();
    this.#events = [];
    this.#endings = [];
    this.#promptTokens = 0;
    this.#runMs = 0;
  }

  /** Between steps: cancels, parks, takes back and lets in. */
  #settleRequests(): void {
    this.#dropCancelled();
    this.#decoding.removeWhere((sequence, row) => {
      if (!sequence.paused) return false;
      sequence.parked = this.#decoding.lane.snapshot(row);
      this.#parked.add(sequence);
      return true;
    });
    for (const sequence of this.#parked)
      if (!sequence.paused && sequence.parked) {
        this.#parked.delete(sequence);
        this.#decoding.add(sequence, [sequence.parked]);
        sequence.parked = undefined;
      }
    while (this.#canJoin) {
      const next = this.#waiting.shift();
      if (next) this.#join(next);
    }
  }

  #join(sequence: Sequence): void {
    const { request, prompt, arrived } = sequence;
    const blocks = this.#prefixes.find(request.scope, prompt);
    sequence.prefilled = blocks.reduce((sum, { positions }) => sum + positions, 0);
    this.#prefilling.add(sequence, blocks);
    this.#events.push({
      type: 'started',
      id: request.id,
      promptTokens: prompt.length,
      cachedTokens: sequence.prefilled,
      waitedMs: this.#options.now() - arrived,
    });
  }

  #dropCancelled(): void {
    const drop = (sequence: Sequence) => {
      if (sequence.cancelled) this.#finish(sequence, 'CANCELLED');
      return sequence.cancelled;
    };
    for (const sequence of this.#waiting.filter(drop))
      this.#waiting.splice(this.#waiting.indexOf(sequence), 1);
    for (const sequence of [...this.#parked].filter(drop)) this.#parked.delete(sequence);
    this.#prefilling.removeWhere(drop);
    this.#decoding.removeWhere(drop);
  }

  /** One token for every running sequence. */
  async #decode(): Promise<void> {
    const { lane, sequences } = this.#decoding;
    const rows = sequences.length;
    if (rows === 0) return;
    const inputs = sequences.map(({ lastToken }) => ({ tokens: [lastToken] }));
    const run = await this.#execute(this.#decoding, { firstRow: 0, chunk: 1, inputs });
    if (run instanceof Error) return this.#failAll(this.#decoding, run);
    for (let row = 0; row < rows; row++) lane.append(row, run.output, row, 1);
    const over = new Set<Sequence>();
    for (const [row, sequence] of sequences.entries()) {
      sequence.steps++;
      sequence.batchSizes += rows;
      if (!this.#take(sequence, run, row)) over.add(sequence);
    }
    this.#decoding.removeWhere((sequence) => over.has(sequence));
  }

  /** The next chunk of the oldest prompt, and of those beside it whose next chunk has the same size, within the budget. */
  async #prefill(): Promise<void> {
    const { prefillChunk, prefillTokensPerStep } = this.#options.limits;
    const { sequences } = this.#prefilling;
    const firstRow = oldest(sequences);
    const first = sequences[firstRow];
    if (first === undefined) return;
    const chunk = nextChunk(first, prefillChunk);
    const most = Math.max(1, Math.floor(prefillTokensPerStep / chunk));
    const beside = sequences.slice(firstRow, firstRow + most);
    const other = beside.findIndex((sequence) => nextChunk(sequence, prefillChunk) !== chunk);
    const taking = other < 0 ? beside : beside.slice(0, other);
    const inputs = taking.map(({ prompt, prefilled }) => ({
      tokens: prompt.slice(prefilled, prefilled + chunk),
    }));
    const run = await this.#execute(this.#prefilling, { firstRow, chunk, inputs });
    if (run instanceof Error) return this.#failAll(this.#prefilling, run, taking);
    const done = new Set<Sequence>();
    for (const [index, sequence] of taking.entries()) {
      const count = inputs[index]?.tokens.length ?? 0;
      this.#prefilling.lane.append(firstRow + index, run.output, index, count);
      if (this.#advance(sequence, firstRow + index, count) && this.#take(sequence, run, index))
        this.#decoding.add(sequence, [this.#prefilling.lane.snapshot(firstRow + index)]);
      if (sequence.prefilled === sequence.prompt.length) done.add(sequence);
    }
    this.#prefilling.removeWhere((sequence) => done.has(sequence));
  }

  /** Notes and shares a prompt's chunk; true when the prompt is complete. */
  #advance(sequence: Sequence, row: number, count: number): boolean {
    const { prompt, request } = sequence;
    const start = sequence.prefilled;
    sequence.prefilled += count;
    this.#promptTokens += count;
    if (count === this.#options.limits.prefillChunk)
      this.#prefixes.put(request.scope, prompt, sequence.prefilled, () =>
        this.#prefilling.lane.snapshot(row, start),
      );
    return sequence.prefilled === prompt.length;
  }

  /** A sequence's next token. False when the sequence is over. */
  #take(sequence: Sequence, run: DecoderRun, row: number): boolean {
    const { event, end } = this.#takeToken(sequence, run, row);
    if (event) this.#events.push(event);
    if (end !== undefined) this.#finish(sequence, end);
    return end === undefined;
  }

  #finish(sequence: Sequence, result: DecodeOutcome['reason'] | Error): void {
    if (!this.#known.delete(sequence.request.id)) return;
    const { prompt, completionTokens, steps, batchSizes, resolve, reject } = sequence;
    this.#endings.push(() => {
      if (result instanceof Error) reject(result);
      else
        resolve({
          reason: result,
          promptTokens: prompt.length,
          completionTokens,
          meanBatch: steps === 0 ? 1 : batchSizes / steps,
        });
    });
  }

  #failAll(roster: Roster, reason: Error, failed: readonly Sequence[] = roster.sequences): void {
    const gone = new Set(failed);
    roster.removeWhere((sequence) => {
      if (gone.has(sequence)) this.#finish(sequence, reason);
      return gone.has(sequence);
    });
  }

  async #execute({ lane }: Roster, options: RunOptions): Promise<DecoderRun | Error> {
    const { model, now } = this.#options;
    lane.fit();
    const start = now();
    try {
      return await model.run(lane, options);
    } catch (reason) {
      const problem = reason instanceof Error ? reason.message : String(reason);
      return executionFailed({ model: 'decoder', reason: problem });
    } finally {
      this.#runMs += now() - start;
    }
  }
}

/** Row of the sequence that came first. */
function oldest(sequences: readonly Sequence[]): number {
  let row = 0;
  for (const [index, { request }] of sequences.entries())
    if (request.id < (sequences[row]?.request.id ?? 0)) row = index;
  return row;
}
