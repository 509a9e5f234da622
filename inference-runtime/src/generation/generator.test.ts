import { hasCode } from '@opea/kernel/errors';
import type { GenerationEvent, RequestOptions } from '@opea/schema/runtime';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { TinyGenerator } from '../testing/tiny-generator.ts';
import { openTinyGenerator } from '../testing/tiny-generator.ts';
import type { GenerationOptions } from './index.ts';

const empty = { running: 0, waiting: 0, kvPositions: 0 };
let tiny: TinyGenerator;
beforeAll(async () => {
  tiny = await openTinyGenerator({
    config: { slots: 6, maxQueued: 4_000, maxQueuedPerTenant: 4_000 },
  });
}, 60_000);
afterAll(async () => {
  await tiny[Symbol.asyncDispose]();
});

const request = (options: Partial<RequestOptions> = {}): RequestOptions => ({
  requestId: 'req',
  tenant: 'acme',
  signal: new AbortController().signal,
  ...options,
});

async function collect(events: AsyncIterable<GenerationEvent>): Promise<GenerationEvent[]> {
  const collected: GenerationEvent[] = [];
  for await (const event of events) collected.push(event);
  return collected;
}

async function answer(options: GenerationOptions, from = tiny, given = request()) {
  const events = await collect(from.generator.generate(options, given));
  const tokens = events.filter((event) => event.type === 'token');
  const end = events.at(-1);
  if (end?.type !== 'finished') throw new Error('The stream has no end');
  return { events, tokens, end, ids: tokens.map(({ tokenId }) => tokenId) };
}

const prompts = fc.string({
  minLength: 1,
  maxLength: 120,
  unit: fc.constantFrom('t', 'h', 'e', ' ', 'i', 'n', 'a', ',', 'r'),
});
const generations: fc.Arbitrary<GenerationOptions> = fc.record({
  prompt: prompts,
  maxTokens: fc.integer({ min: 1, max: 24 }),
  temperature: fc.constantFrom(0, 0.7, 1.3),
  topK: fc.constantFrom(0, 5, 40),
  topP: fc.constantFrom(1, 0.9),
  minP: fc.constantFrom(0, 0.05),
  repetitionPenalty: fc.constantFrom(1, 1.2),
  seed: fc.integer({ min: 0, max: 1_000 }),
});

describe('continuous batching', () => {
  test('a text is the same, token for token and bit for bit, alone and beside any others', async () => {
    expect(tiny.generator.info.batchInvariant).toBe(true);
    await fc.assert(
      fc.asyncProperty(fc.array(generations, { minLength: 2, maxLength: 14 }), async (workload) => {
        const together = await Promise.all(workload.map((options) => answer(options)));
        for (const [index, options] of workload.entries()) {
          const alone = await answer(options);
          expect(together[index]?.tokens).toEqual(alone.tokens);
          expect(together[index]?.end.text).toBe(alone.end.text);
        }
      }),
      { numRuns: 25 },
    );
  }, 120_000);

  test('requests share steps', async () => {
    const all = await Promise.all(
      Array.from({ length: 6 }, () => answer({ prompt: 'the', maxTokens: 40, temperature: 0 })),
    );
    const sizes = all.map(({ end }) => end.batch.meanSize);
    expect(Math.max(...sizes)).toBeGreaterThan(3);
  });

  test('joining a running batch changes no token of it', async () => {
    const options = { prompt: 'once upon a time', maxTokens: 60, temperature: 1, seed: 7 };
    const alone = await answer(options);
    const running = tiny.generator.generate(options, request())[Symbol.asyncIterator]();
    const events: GenerationEvent[] = [];
    const joined: Promise<unknown>[] = [];
    for (let next = await running.next(); !next.done; next = await running.next()) {
      events.push(next.value);
      if (events.length % 10 === 0) joined.push(answer({ prompt: 'another', maxTokens: 5 }));
    }
    await Promise.all(joined);
    expect(events.filter(({ type }) => type === 'token')).toEqual(alone.tokens);
  });
});

describe('a stream', () => {
  test('tells start, every token once and in order, and the end', async () => {
    const { events, tokens, end } = await answer({ prompt: 'the end', maxTokens: 12, seed: 1 });
    expect(events[0]).toMatchObject({ type: 'started', promptTokens: 6 });
    expect(tokens.map(({ index }) => index)).toEqual(tokens.map((_, index) => index));
    expect(end.text).toBe(tokens.map(({ text }) => text).join(''));
    expect(end.usage).toEqual({ promptTokens: 6, completionTokens: tokens.length });
    expect(end.timing.timeToFirstTokenMs).toBeLessThanOrEqual(end.timing.totalMs);
  });

  test('gives the same text for the same seed and another for another', async () => {
    const options = { prompt: 'so', maxTokens: 30, temperature: 1.5 };
    const [first, again, other] = await Promise.all([
      answer({ ...options, seed: 11 }),
      answer({ ...options, seed: 11 }),
      answer({ ...options, seed: 12 }),
    ]);
    expect(again.ids).toEqual(first.ids);
    expect(other.ids).not.toEqual(first.ids);
  });

  test('ends with LENGTH when the context is full', async () => {
    const { end, events } = await answer({ prompt: 'in the air', maxTokens: 10_000, seed: 3 });
    expect(end.reason).toBe('LENGTH');
    const [started] = events;
    const promptTokens = started?.type === 'started' ? started.promptTokens : 0;
    expect(promptTokens + end.usage.completionTokens).toBe(tiny.generator.info.context + 1);
  });

  test('ends with STOP at the end token, which adds no text', async () => {
    const { end, tokens } = await answer({ prompt: 'x', maxTokens: 50, logitBias: { 0: 100 } });
    expect(end).toMatchObject({ reason: 'STOP', text: '' });
    expect(tokens).toMatchObject([{ index: 0, tokenId: 0, text: '' }]);
  });

  test('ends before a stop string that spans tokens, and shows no part of it', async () => {
    const options = {
      prompt: 'stop',
      maxTokens: 40,
      temperature: 0.8,
      seed: 5,
      logitBias: letters(),
    };
    const free = await answer(options);
    const stop = free.end.text.slice(9, 13);
    const stopped = await answer({ ...options, stop: ['never this', stop] });
    expect(stopped.end.reason).toBe('STOP');
    expect(stopped.end.text).toBe(free.end.text.slice(0, free.end.text.indexOf(stop)));
    expect(stopped.tokens.map(({ text }) => text).join('')).toBe(stopped.end.text);
  });
});

describe('a request that cannot be served', () => {
  test.each([
    ['a prompt that fills the context', { prompt: 'z'.repeat(200) }, 'prompt'],
    ['an empty prompt', { prompt: '' }, 'prompt'],
    ['a negative temperature', { prompt: 'a', temperature: -1 }, 'temperature'],
    ['topP of zero', { prompt: 'a', topP: 0 }, 'topP'],
    ['an empty stop string', { prompt: 'a', stop: [''] }, 'stop.0'],
    ['a bias for an unknown token', { prompt: 'a', logitBias: { 9999: 1 } }, 'logitBias'],
  ])('%s is refused with INVALID_INPUT that names the field', async (_, options, field) => {
    const refused = await answer(options).catch((reason: unknown) => reason);
    expect(hasCode(refused, 'INVALID_INPUT')).toBe(true);
    expect(refused).toMatchObject({ details: { field } });
  });

  test('is refused with OVERLOADED and a time to come back when the queue is full', async () => {
    await using small = await openTinyGenerator({ config: { slots: 1, maxQueued: 2 } });
    const results = await Promise.allSettled(
      Array.from({ length: 12 }, () => answer({ prompt: 'a', maxTokens: 40 }, small)),
    );
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    for (const { reason } of refused)
      expect(reason).toMatchObject({
        kind: { code: 'OVERLOADED' },
        details: { retryAfterMs: expect.any(Number) },
      });
    await vi.waitFor(() =>
      expect(small.generator.stats()).toMatchObject({ running: 0, waiting: 0 }),
    );
  });

  test('fails with DEADLINE_EXCEEDED when its time is over, and gives its slot back', async () => {
    const late = answer({ prompt: 'a', maxTokens: 10_000 }, tiny, request({ deadlineMs: 5 }));
    await expect(late).rejects.toMatchObject({ kind: { code: 'DEADLINE_EXCEEDED' } });
    await freed();
  });
});

describe('a caller who leaves', () => {
  test('by its signal gets reason CANCELLED, and the slot is free', async () => {
    const controller = new AbortController();
    const events: GenerationEvent[] = [];
    const stream = tiny.generator.generate(
      { prompt: 'a', maxTokens: 10_000 },
      request({ signal: controller.signal }),
    );
    for await (const event of stream) {
      events.push(event);
      if (event.type === 'token' && event.index === 3) controller.abort();
    }
    expect(events.at(-1)).toMatchObject({ type: 'finished', reason: 'CANCELLED' });
    await freed();
  });

  test('by leaving the loop frees its slot', async () => {
    for await (const event of tiny.generator.generate(
      { prompt: 'a', maxTokens: 10_000 },
      request(),
    ))
      if (event.type === 'token') break;
    expect(await freed()).toMatchObject(empty);
  });

  test('while it waits for a token is let go at once', async () => {
    const stream = tiny.generator.generate({ prompt: 'a' }, request())[Symbol.asyncIterator]();
    const pending = stream.next();
    await stream.return?.();
    expect((await pending).done).toBe(true);
    await freed();
  });

  test('a thousand times leaves no slot taken', async () => {
    const leave = async (index: number) => {
      const controller = new AbortController();
      const stream = tiny.generator.generate(
        { prompt: `n${index}`, maxTokens: 10_000 },
        request({ signal: controller.signal, tenant: `t${index % 5}` }),
      );
      const after = index % 4;
      let seen = 0;
      const reader = stream[Symbol.asyncIterator]();
      const abortQueued = index % 3 === 0;
      if (abortQueued) queueMicrotask(() => controller.abort());
      while (!(await reader.next()).done)
        if (seen++ >= after) {
          if (index % 2 === 0) await reader.return?.();
          else controller.abort();
        }
    };
    for (let round = 0; round < 20; round++)
      await Promise.all(Array.from({ length: 50 }, (_, index) => leave(round * 50 + index)));
    await freed();
    expect((await answer({ prompt: 'still', maxTokens: 3 })).tokens).toHaveLength(3);
  }, 120_000);
});

describe('a reader that does not read', () => {
  test('pauses its generation and still gets every token when it comes back', async () => {
    await using small = await openTinyGenerator({ config: { slots: 2, mailboxEvents: 8 } });
    const endless = { 0: -100 };
    const options = { prompt: 'slow', maxTokens: 80, seed: 9, logitBias: endless };
    const whole = await answer(options, small);
    const reader = small.generator.generate(options, request())[Symbol.asyncIterator]();
    const events = [(await reader.next()).value];
    const other = await answer({ prompt: 'fast', maxTokens: 100, logitBias: endless }, small);
    expect(other.tokens).toHaveLength(100);
    expect(small.generator.stats()).toMatchObject({ running: 1 });
    for (let next = await reader.next(); !next.done; next = await reader.next())
      events.push(next.value);
    expect(events.filter((event) => event?.type === 'token')).toEqual(whole.tokens);
  });

  test('loses its slot after the stall time and learns why', async () => {
    await using small = await openTinyGenerator({ config: { mailboxEvents: 4, stallMs: 50 } });
    const stream = small.generator.generate(
      { prompt: 'gone', maxTokens: 100, logitBias: { 0: -100 } },
      request(),
    );
    const reader = stream[Symbol.asyncIterator]();
    await reader.next();
    await vi.waitFor(() => expect(small.generator.stats()).toMatchObject({ running: 0 }), 5_000);
    await expect(reader.next()).rejects.toMatchObject({ kind: { code: 'CONSUMER_STALLED' } });
    expect(await reader.next()).toMatchObject({ done: true });
  });
});

describe('an answer with a schema', () => {
  const jsonSchema = {
    type: 'object',
    properties: {
      mood: { enum: ['glad', 'sad'] },
      years: { type: 'integer', minimum: 0 },
      name: { type: 'string', maxLength: 8 },
    },
    required: ['mood', 'years', 'name'],
  };

  test('is valid JSON of that schema, also beside answers without', async () => {
    const ask = (seed: number) =>
      answer({ prompt: 'tell', maxTokens: 100, temperature: 1.5, seed, jsonSchema });
    const [one, two] = await Promise.all([ask(1), ask(2), answer({ prompt: 'free', seed: 1 })]);
    for (const { end } of [one, two]) {
      expect(end.reason).toBe('STOP');
      expect(JSON.parse(end.text)).toEqual({
        mood: expect.stringMatching(/^(glad|sad)$/),
        years: expect.any(Number),
        name: expect.any(String),
      });
    }
    expect((await ask(1)).tokens).toEqual(one.tokens);
  });

  test('is refused with INVALID_INPUT when the schema asks for what is not supported', async () => {
    const refused = answer({ prompt: 'a', jsonSchema: { type: 'string', format: 'email' } });
    await expect(refused).rejects.toMatchObject({
      kind: { code: 'INVALID_INPUT' },
      details: { field: 'jsonSchema' },
    });
  });
});

test('a generator that is closed under load fails its answers with UNAVAILABLE and leaves quietly', async () => {
  const closing = await openTinyGenerator({ decoder: { context: 4_096 }, config: { slots: 4 } });
  const answers = Array.from({ length: 8 }, () =>
    answer({ prompt: 'on', maxTokens: 10_000, logitBias: { 0: -100 } }, closing),
  );
  const outcomes = Promise.allSettled(answers);
  await expect.poll(() => closing.generator.stats().steps, { timeout: 10_000 }).toBeGreaterThan(3);
  await closing[Symbol.asyncDispose]();
  for (const outcome of await outcomes)
    expect(outcome).toMatchObject({ reason: { kind: { code: 'UNAVAILABLE' } } });
});

describe('shared prompt beginnings', () => {
  test('are computed once for a tenant and change no token', async () => {
    await using fresh = await openTinyGenerator({ config: { prefillChunk: 16 } });
    const beginning = 'an old tale that all of them know by heart ';
    const tell = (end: string, tenant: string) =>
      answer({ prompt: beginning + end, maxTokens: 12, seed: 4 }, fresh, request({ tenant }));
    const hits = async () =>
      (
        await fresh.metrics.registry
          .getSingleMetric('opea_inference_prefix_cache_hits_total')
          ?.get()
      )?.values[0]?.value ?? 0;

    const first = await tell('one', 'acme');
    expect(await hits()).toBe(0);
    const again = await tell('one', 'acme');
    expect(await hits()).toBe(32);
    expect(again.tokens).toEqual(first.tokens);
    const foreign = await tell('one', 'other');
    expect(await hits()).toBe(32);
    expect(foreign.tokens).toEqual(first.tokens);
  });
});

/** Waits until no sequence holds a slot. */
async function freed() {
  const { stats } = tiny.generator;
  await expect.poll(stats, { timeout: 5_000, interval: 5 }).toMatchObject(empty);
  return stats();
}

/** A bias that lets only plain letters be drawn, so that every token is text. */
function letters(): Record<number, number> {
  return Object.fromEntries(
    Array.from({ length: 26 }, (_, index) => [1 + 'a'.charCodeAt(0) + index, 100]),
  );
}
