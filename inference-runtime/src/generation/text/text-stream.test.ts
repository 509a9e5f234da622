import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tinyTokenizer } from '../../testing/tiny-tokenizer.ts';
import { createStopMatcher } from './stop-matcher.ts';
import { loadTextCodec } from './text-codec.ts';
import { createTextStream } from './text-stream.ts';

const codec = loadTextCodec(tinyTokenizer().json);

function stream(text: string, stops: readonly string[] = []): readonly string[] {
  const out = createTextStream(codec, stops);
  const parts: string[] = [];
  for (const id of codec.encode(text)) {
    const step = out.push(id);
    parts.push(step.text);
    if (step.stopped) return parts;
  }
  return [...parts, out.flush()];
}

describe('text that comes token by token', () => {
  test('joins to the text that was encoded, whatever its script', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
        expect(stream(text).join('')).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  test('never shows half a character', () => {
    const parts = stream('naïve 🧙‍♂️ 日本');
    expect(codec.encode('naïve 🧙‍♂️ 日本').length).toBeGreaterThan(14);
    expect(parts.join('')).toBe('naïve 🧙‍♂️ 日本');
    for (const part of parts) expect(part).not.toContain('\uFFFD');
  });

  test('drops the bytes of a character that was cut off', () => {
    const out = createTextStream(codec, []);
    const ids = codec.encode('a日').slice(0, -1);
    expect(ids.map((id) => out.push(id).text).join('') + out.flush()).toBe('a');
  });
});

describe('stop strings', () => {
  test('end the text before the first one, however it is cut into tokens', () => {
    const stops = fc.array(
      fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 4 }),
      {
        minLength: 1,
        maxLength: 3,
      },
    );
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'd'), maxLength: 40 });
    const cuts = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 40, maxLength: 40 });
    fc.assert(
      fc.property(stops, text, cuts, (given, whole, sizes) => {
        const matcher = createStopMatcher(given);
        const found = given.map((stop) => whole.indexOf(stop)).filter((at) => at >= 0);
        let out = '';
        let stopped = false;
        for (let at = 0, cut = 0; at < whole.length && !stopped; at += sizes[cut++] ?? 1) {
          const step = matcher.push(whole.slice(at, at + (sizes[cut] ?? 1)));
          out += step.text;
          stopped = step.stopped;
        }
        if (!stopped) out += matcher.flush();
        expect(stopped).toBe(found.length > 0);
        expect(out).toBe(found.length > 0 ? cutAtFirst(whole, given, sizes) : whole);
      }),
      { numRuns: 500 },
    );
  });

  test('are held back only as long as they may still come', () => {
    const matcher = createStopMatcher(['END']);
    expect(matcher.push('the EN')).toEqual({ text: 'the ', stopped: false });
    expect(matcher.push('orm')).toEqual({ text: 'ENorm', stopped: false });
    expect(matcher.push('E')).toEqual({ text: '', stopped: false });
    expect(matcher.flush()).toBe('E');
  });
});

/** What a reader may see: the text before the first stop string that is complete when a piece arrives. */
function cutAtFirst(whole: string, stops: readonly string[], sizes: readonly number[]): string {
  let end = 0;
  for (let cut = 0; end < whole.length; cut++) {
    end += sizes[cut] ?? 1;
    const seen = whole.slice(0, end);
    const found = stops.map((stop) => seen.indexOf(stop)).filter((at) => at >= 0);
    if (found.length > 0) return whole.slice(0, Math.min(...found));
  }
  return whole;
}
