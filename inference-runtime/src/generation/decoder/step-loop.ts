import { executionFailed, invalidInput, nonFiniteOutput } from '../../errors.ts';
import { jsonSchemaGrammar } from '../constraint/json-schema-grammar.ts';
import { type Vocabulary, vocabularyOf } from '../constraint/token-constraint.ts';
import { createTokenSampler } from '../sampling/token-sampler.ts';
import { createTextStream } from '../text/text-stream.ts';
import type { TextCodec } from '../text/text-codec.ts';
import type {
  DecodeOutcome,
  DecodeRequest,
  DecoderEvent,
  DecoderLimits,
  StepReport,
} from './decoder-messages.ts';
import type { DecoderModel, DecoderRun } from './decoder-model.ts';
import { KvLane } from './kv-lane.ts';
import { createPrefixCache } from './prefix-cache.ts';
import { nextChunk, type Sequence } from './sequence.ts';

/** Padding to whole buckets changes no bit of a result; see the row invariance test. */
const strideBucket = 64;

export interface StepLoopOptions {
  readonly model: DecoderModel;
  readonly codec: TextCodec;
  readonly limits: DecoderLimits;
  readonly report: (report: StepReport) => void;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

export interface StepLoop {
  /** Resolves when the generation is over; INVALID_INPUT when the prompt does not fit. */
  generate(request: DecodeRequest): Promise<DecodeOutcome>;
  /** Takes effect before the next run. Unknown ids are ignored. */
  cancel(id: number): void;
  /** A paused sequence keeps its place and is left out of the steps. */
  pause(id: number, paused: boolean): void;
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
  readonly #sampler: ReturnType<typeof createTokenSampler>;
  readonly #prefixes: ReturnType<typeof createPrefixCache>;
  readonly #known = new Map<number, Sequence>();
  readonly #waiting: Sequence[] = [];
  readonly #parked = new Set<Sequence>();
  /** Sequences in the order of their lane's rows. */
  readonly #prefilling: Sequence[] = [];
  readonly #decoding: Sequence[] = [];
  readonly #prefillLane: KvLane;
  readonly #decodeLane: KvLane;
  readonly #eos: ReadonlySet<number>;
  #words: Vocabulary | undefined;
  #events: DecoderEvent[] = [];
  /** Settled after the step's report, so that an answer's end never overtakes its tokens. */
  #endings: (() => void)[] = [];
  #promptTokens = 0;
  #runMs = 0;
  #running = false;

  constructor(options: StepLoopOptions) {
    const { model, limits } = options;
    const layout = { ...model.layout, context: limits.context };
    const lane = { layout, maxRows: limits.slots, bucket: strideBucket };
    this.#options = options;
    this.#sampler = createTokenSampler(layout.vocab);
    this.#prefixes = createPrefixCache({
      blockTokens: limits.prefillChunk,
      maxBytes: limits.prefixCacheBytes,
    });
    this.#prefillLane = new KvLane(lane);
    this.#decodeLane = new KvLane(lane);
    this.#eos = new Set(layout.eos);
  }

  generate(request: DecodeRequest): Promise<DecodeOutcome> {
    const { codec, limits } = this.#options;
    const prompt = codec.encode(request.prompt);
    if (prompt.length === 0) throw invalidInput({ field: 'prompt', problem: 'holds no token' });
    if (prompt.length >= limits.context)
      throw invalidInput({
        field: 'prompt',
        problem: `has ${prompt.length} tokens; with an answer at most ${limits.context} fit`,
      });

    const constraint =
      request.jsonSchema === undefined
        ? undefined
        : this.#vocabulary().constrain(jsonSchemaGrammar(request.jsonSchema));
    return new Promise((resolve, reject) => {
      const sequence: Sequence = {
        request,
        prompt,
        text: createTextStream(codec, request.stop),
        constraint,
        seen: new Set(request.parameters.repetitionPenalty === 1 ? [] : prompt),
        resolve,
        reject,
        arrived: this.#options.now(),
        prefilled: 0,
        lastToken: 0,
        completionTokens: 0,
        steps: 0,
        batchSizes: 0,
        cancelled: false,
        paused: false,
        parked: undefined,
        spoilt: false,
      };
      this.#known.set(request.id, sequence);
      this.#waiting.push(sequence);
      if (!this.#running) void this.#run();
    });
  }

  cancel(id: number): void {
    const sequence = this.#known.get(id);
    if (sequence) sequence.cancelled = true;
    if (!this.#running) void this.#run();
  }

  pause(id: number, paused: boolean): void {
    const sequence = this.#known.get(id);
    if (sequence) sequence.paused = paused;
    if (!this.#running) void this.#run();
  }

  /** Made when a request with a schema first comes. */
  #vocabulary(): Vocabulary {
    const { codec, model } = this.#options;
    const { vocab: size, eos: ends } = model.layout;
    this.#words ??= vocabularyOf({ codec, size, ends });
    return this.#words;
  }

  get #taken(): number {
    return this.#prefilling.length + this.#decoding.length + this.#parked.size;
  }

  get #busy(): boolean {
    const canJoin = this.#waiting.length > 0 && this.#taken < this.#options.limits.slots;
    return canJoin || this.#prefilling.length + this.#decoding.length > 0;
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
      } while (this.#busy);
    } finally {
      this.#running = false;
    }
  }

  #report(start: number): void {
    const { now, report } = this.#options;
    const held = [...this.#parked].reduce((sum, { parked }) => sum + (parked?.positions ?? 0), 0);
    report({
      events: this.#events,
      running: this.#taken,
      waiting: this.#waiting.length,
      kvPositions: this.#decodeLane.positions + this.#prefillLane.positions + held,
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
    for (const sequence of this.#decoding.filter(({ paused }) => paused)) {
      const row = this.#decoding.indexOf(sequence);
      sequence.parked = this.#decodeLane.snapshot(row);
      this.#parked.add(sequence);
      this.#leave(this.#decoding, this.#decodeLane, row);
    }
    for (const sequence of this.#parked)
      if (!sequence.paused && sequence.parked) {
        this.#decodeLane.restore(this.#decodeLane.add(), sequence.parked);
        sequence.parked = undefined;
        this.#parked.delete(sequence);
        this.#decoding.push(sequence);
      }
    const { slots } = this.#options.limits;
    while (this.#taken < slots) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#join(next);
    }
  }

  #join(sequence: Sequence): void {
    const { id, scope } = sequence.request;
    const row = this.#prefillLane.add();
    for (const block of this.#prefixes.find(scope, sequence.prompt)) {
      this.#prefillLane.restore(row, block);
      sequence.prefilled += block.positions;
    }
    this.#prefilling.push(sequence);
    this.#events.push({
      type: 'started',
      id,
      promptTokens: sequence.prompt.length,
      cachedTokens: sequence.prefilled,
      waitedMs: this.#options.now() - sequence.arrived,
    });
  }

  #dropCancelled(): void {
    const drop = (list: Sequence[], remove: (index: number) => void) => {
      for (let index = list.length - 1; index >= 0; index--) {
        const sequence = list[index];
        if (!sequence?.cancelled) continue;
        remove(index);
        this.#finish(sequence, 'CANCELLED');
      }
    };
    drop(this.#waiting, (index) => this.#waiting.splice(index, 1));
    drop(this.#prefilling, (row) => this.#leave(this.#prefilling, this.#prefillLane, row));
    drop(this.#decoding, (row) => this.#leave(this.#decoding, this.#decodeLane, row));
    for (const sequence of this.#parked)
      if (sequence.cancelled) {
        this.#parked.delete(sequence);
        this.#finish(sequence, 'CANCELLED');
      }
  }

  /** One token for every running sequence. */
  async #decode(): Promise<void> {
    const rows = this.#decoding.length;
    if (rows === 0) return;
    const inputs = this.#decoding.map(({ lastToken }) => ({ tokens: [lastToken] }));
    const run = await this.#execute(this.#decodeLane, { firstRow: 0, chunk: 1, inputs });
    if (run instanceof Error) {
      for (let row = rows - 1; row >= 0; row--)
        this.#fail(this.#decoding, this.#decodeLane, row, run);
      return;
    }
    for (let row = 0; row < rows; row++) this.#decodeLane.append(row, run.output, row, 1);
    const over: number[] = [];
    for (const [row, sequence] of this.#decoding.entries()) {
      sequence.steps++;
      sequence.batchSizes += rows;
      if (!this.#take(sequence, run, row)) over.push(row);
    }
    for (const row of over.toReversed()) {
      if (this.#decoding[row]?.spoilt) this.#decodeLane.scrub(row);
      this.#leave(this.#decoding, this.#decodeLane, row);
    }
  }

  /** The next chunk of one prompt, and of those beside it whose next chunk has the same size, within the budget. */
  async #prefill(): Promise<void> {
    const { prefillChunk, prefillTokensPerStep } = this.#options.limits;
    const firstRow = oldest(this.#prefilling);
    const first = this.#prefilling[firstRow];
    if (first === undefined) return;
    const chunk = nextChunk(first, prefillChunk);
    const most = Math.max(1, Math.floor(prefillTokensPerStep / chunk));
    const beside = this.#prefilling.slice(firstRow, firstRow + most);
    const other = beside.findIndex((sequence) => nextChunk(sequence, prefillChunk) !== chunk);
    const inputs = (other < 0 ? beside : beside.slice(0, other)).map(({ prompt, prefilled }) => ({
      tokens: prompt.slice(prefilled, prefilled + chunk),
    }));
    const run = await this.#execute(this.#prefillLane, { firstRow, chunk, inputs });
    for (let index = inputs.length - 1; index >= 0; index--) {
      const row = firstRow + index;
      if (run instanceof Error) this.#fail(this.#prefilling, this.#prefillLane, row, run);
      else this.#advance(row, run, { index, count: inputs[index]?.tokens.length ?? 0 });
    }
  }

  /** Takes a prompt's chunk over; a finished prompt gives its first token and moves on to decoding. */
  #advance(
    row: number,
    run: DecoderRun,
    { index, count }: { readonly index: number; readonly count: number },
  ): void {
    const sequence = this.#prefilling[row];
    if (sequence === undefined) return;
    const { prompt, request } = sequence;
    const start = sequence.prefilled;
    this.#prefillLane.append(row, run.output, index, count);
    sequence.prefilled += count;
    this.#promptTokens += count;
    if (count === this.#options.limits.prefillChunk)
      this.#prefixes.put(request.scope, prompt, sequence.prefilled, () =>
        this.#prefillLane.snapshot(row, start),
      );
    if (sequence.prefilled < prompt.length) return;

    if (this.#take(sequence, run, index)) {
      this.#decodeLane.restore(this.#decodeLane.add(), this.#prefillLane.snapshot(row));
      this.#decoding.push(sequence);
    }
    if (sequence.spoilt) this.#prefillLane.scrub(row);
    this.#leave(this.#prefilling, this.#prefillLane, row);
  }

  /** Chooses a sequence's next token from row `row` of the scores. False when the sequence is over. */
  #take(sequence: Sequence, run: DecoderRun, row: number): boolean {
    const { vocab } = this.#options.model.layout;
    const { request, text, seen } = sequence;
    const sampled = this.#sampler.sample({
      scores: {
        logits: run.logits.subarray(row * vocab, (row + 1) * vocab),
        logprobs: run.logprobs.subarray(row * vocab, (row + 1) * vocab),
        likeliest: run.likeliest(row),
      },
      parameters: request.parameters,
      seen,
      index: sequence.completionTokens,
      allowed: sequence.constraint?.allowed(),
    });
    if (sampled === undefined) {
      sequence.spoilt = true;
      const cornered = sequence.constraint?.allowed().includes(1) === false;
      this.#finish(
        sequence,
        cornered
          ? executionFailed({
              model: 'decoder',
              reason: 'no token of its vocabulary fits the schema',
            })
          : nonFiniteOutput({ model: 'decoder' }),
      );
      return false;
    }
    const { tokenId, logprob } = sampled;
    sequence.lastToken = tokenId;
    if (request.parameters.repetitionPenalty !== 1) seen.add(tokenId);
    const index = sequence.completionTokens++;
    const ended = this.#eos.has(tokenId);
    const goesOn = sequence.constraint?.accept(tokenId) ?? true;
    const step = ended ? { text: '', stopped: false } : text.push(tokenId);
    const full = this.#reachedLength(sequence) ? 'LENGTH' : undefined;
    const reason = ended || step.stopped || !goesOn ? 'STOP' : full;
    const rest = reason === undefined || step.stopped ? '' : text.flush();
    this.#events.push({
      type: 'token',
      id: request.id,
      index,
      tokenId,
      logprob,
      text: step.text + rest,
    });
    if (reason !== undefined) this.#finish(sequence, reason);
    return reason === undefined;
  }

  /** A token can be fed only while its position is inside the context. */
  #reachedLength({ request, prompt, completionTokens }: Sequence): boolean {
    return (
      completionTokens >= request.maxTokens ||
      prompt.length + completionTokens > this.#options.limits.context
    );
  }

  #finish(sequence: Sequence, result: DecodeOutcome['reason'] | Error): void {
    if (!this.#known.delete(sequence.request.id)) return;
    const { prompt, completionTokens, steps, batchSizes } = sequence;
    const meanBatch = steps === 0 ? 1 : batchSizes / steps;
    this.#endings.push(() => {
      if (result instanceof Error) sequence.reject(result);
      else
        sequence.resolve({
          reason: result,
          promptTokens: prompt.length,
          completionTokens,
          meanBatch,
        });
    });
  }

  #fail(list: Sequence[], lane: KvLane, row: number, reason: Error): void {
    const sequence = list[row];
    this.#leave(list, lane, row);
    if (sequence) this.#finish(sequence, reason);
  }

  /** The last row takes the place of the one that leaves. */
  #leave(list: Sequence[], lane: KvLane, row: number): void {
    lane.remove(row);
    const last = list.pop();
    if (last !== undefined && row < list.length) list[row] = last;
  }

  async #execute(
    lane: KvLane,
    options: Parameters<DecoderModel['run']>[1],
  ): Promise<DecoderRun | Error> {
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
