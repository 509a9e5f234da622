import type { GenerationEvent } from '@opea/schema/runtime';
import { describe, expect, test } from 'vitest';
import { openTinyGenerator } from '../../../testing/tiny-generator.ts';
import { type LlamaWeights, tinyGguf } from '../../../testing/tiny-gguf.ts';
import { adaptGguf } from './adapt-gguf.ts';

const eos = 0;

describe('a GGUF file of a llama-like model', () => {
  test.each(['F32', 'Q8_0', 'Q4_1'] as const)(
    'with %s weights generates, once adapted, with the probabilities of a plain reference',
    async (storage) => {
      const { file, weights } = tinyGguf({ storage, eos });
      const { model, tokenizer } = adaptGguf(file);
      await using tiny = await openTinyGenerator({ model, tokenizer });
      expect(tiny.generator.info).toMatchObject({ context: 64, batchInvariant: true });
      const events: AsyncIterable<GenerationEvent> = tiny.generator.generate(
        { prompt: 'tea', maxTokens: 20, temperature: 0, logitBias: { [eos]: -100 } },
        { requestId: 'req', tenant: 'acme', signal: new AbortController().signal },
      );
      const ids = [1 + 't'.charCodeAt(0), 1 + 'e'.charCodeAt(0), 1 + 'a'.charCodeAt(0)];
      let worst = 0;
      for await (const event of events) {
        if (event.type !== 'token') continue;
        const expected = logprobsAfter(weights, ids);
        worst = Math.max(worst, Math.abs(event.logprob - (expected[event.tokenId] ?? 0)));
        ids.push(event.tokenId);
      }
      expect(ids).toHaveLength(23);
      // Eight-bit activations leave up to 0.15; positions turned the wrong way would make it 3.
      expect(worst).toBeLessThan(0.4);
    },
    60_000,
  );

  test('of another architecture is refused by name', () => {
    const { file } = tinyGguf({ storage: 'F32', eos, architecture: 'mamba' });
    expect(() => adaptGguf(file)).toThrow('only the architecture llama');
  });

  test('that is cut short or something else is refused', () => {
    const { file } = tinyGguf({ storage: 'Q8_0', eos });
    expect(() => adaptGguf(file.subarray(0, 500))).toThrow('ends too early');
    expect(() => adaptGguf(file.subarray(0, file.length - 4_000))).toThrow('not whole');
    expect(() => adaptGguf(new Uint8Array(64))).toThrow('not a GGUF file');
  });
});

/** A straightforward forward pass over the whole text, in 64-bit floats. */
function logprobsAfter(weights: LlamaWeights, ids: readonly number[]): readonly number[] {
  const { shape, of } = weights;
  const { width, heads, kvHeads, headDim } = shape;
  const product = (name: string, x: readonly number[], outputs: number) => {
    const rows = of(name);
    return Array.from({ length: outputs }, (_, row) =>
      x.reduce((sum, value, column) => sum + value * (rows[row * x.length + column] ?? 0), 0),
    );
  };
  const norm = (x: readonly number[], name: string) => {
    const scale = 1 / Math.sqrt(x.reduce((sum, value) => sum + value * value, 0) / x.length + 1e-5);
    return x.map((value, at) => value * scale * (of(name)[at] ?? 0));
  };
  const rotate = (head: readonly number[], position: number) =>
    head.map((value, at) => {
      const pair = at - (at % 2);
      const angle = position * 10_000 ** (-pair / headDim);
      const other = head[at % 2 === 0 ? at + 1 : at - 1] ?? 0;
      return value * Math.cos(angle) + (at % 2 === 0 ? -other : other) * Math.sin(angle);
    });
  const headOf = (x: readonly number[], head: number) =>
    x.slice(head * headDim, (head + 1) * headDim);
  const softmax = (x: readonly number[]) => {
    const powers = x.map((value) => Math.exp(value - Math.max(...x)));
    const total = powers.reduce((sum, value) => sum + value, 0);
    return powers.map((value) => value / total);
  };

  let xs = ids.map((id) => Array.from(of('token_embd').slice(id * width, (id + 1) * width)));
  for (let layer = 0; layer < shape.layers; layer++) {
    const name = (part: string) => `blk.${layer}.${part}`;
    const inner = xs.map((x) => norm(x, name('attn_norm')));
    const queries = inner.map((x) => product(name('attn_q'), x, heads * headDim));
    const keys = inner.map((x) => product(name('attn_k'), x, kvHeads * headDim));
    const values = inner.map((x) => product(name('attn_v'), x, kvHeads * headDim));
    xs = xs.map((x, at) => {
      const mixed = Array.from({ length: heads }, (_, head) => {
        const shared = Math.floor((head * kvHeads) / heads);
        const query = rotate(headOf(queries[at] ?? [], head), at);
        const scores = keys.slice(0, at + 1).map((key, place) => {
          const turned = rotate(headOf(key, shared), place);
          return query.reduce((sum, q, i) => sum + q * (turned[i] ?? 0), 0) / Math.sqrt(headDim);
        });
        const shares = softmax(scores);
        return Array.from({ length: headDim }, (_unused, i) =>
          shares.reduce(
            (sum, share, place) => sum + share * (values[place]?.[shared * headDim + i] ?? 0),
            0,
          ),
        );
      }).flat();
      const attended = product(name('attn_output'), mixed, width);
      const middle = x.map((value, i) => value + (attended[i] ?? 0));
      const outer = norm(middle, name('ffn_norm'));
      const gate = product(name('ffn_gate'), outer, shape.hidden);
      const up = product(name('ffn_up'), outer, shape.hidden);
      const gated = gate.map((value, i) => (value / (1 + Math.exp(-value))) * (up[i] ?? 0));
      const down = product(name('ffn_down'), gated, width);
      return middle.map((value, i) => value + (down[i] ?? 0));
    });
  }
  const logits = product('token_embd', norm(xs.at(-1) ?? [], 'output_norm'), shape.vocab);
  return softmax(logits).map(Math.log);
}
