import type { GenerationEvent } from '@opea/schema/runtime';
import { expect, test } from 'vitest';
import { decodeModel, encodeModel } from '../onnx/index.ts';
import { tinyDecoder } from '../testing/tiny-decoder.ts';
import { openTinyGenerator, type TinyGenerator } from '../testing/tiny-generator.ts';
import { tinyTokenizer } from '../testing/tiny-tokenizer.ts';

const { vocab } = tinyTokenizer();
const width = 32;
const poison = 1 + 'z'.charCodeAt(0);

async function ids({ generator }: TinyGenerator, prompt: string): Promise<number[]> {
  const request = { requestId: 'req', tenant: 'acme', signal: new AbortController().signal };
  const found: number[] = [];
  const events: AsyncIterable<GenerationEvent> = generator.generate(
    { prompt, maxTokens: 30, seed: 5, logitBias: { 0: -100, [poison]: -100 } },
    request,
  );
  for await (const event of events) if (event.type === 'token') found.push(event.tokenId);
  return found;
}

test('a prompt that the model answers with NaN fails alone with NON_FINITE_OUTPUT, and its slot spoils nobody', async () => {
  await using tiny = await openTinyGenerator({
    model: withPoisonedToken(),
    config: { slots: 3, prefixCacheBytes: 0 },
  });
  const prompts = ['the hen', 'an inn in the rain', 'tea'];
  const alone = [];
  for (const prompt of prompts) alone.push(await ids(tiny, prompt));

  for (let round = 0; round < 5; round++) {
    const [first, poisoned, second, third] = await Promise.allSettled([
      ids(tiny, 'the hen'),
      ids(tiny, 'zzz in the middle of a longer prompt that reaches far into its row'),
      ids(tiny, 'an inn in the rain'),
      ids(tiny, 'tea'),
    ]);
    expect(poisoned).toMatchObject({ reason: { kind: { code: 'NON_FINITE_OUTPUT' } } });
    expect([first, second, third]).toEqual(alone.map((value) => ({ status: 'fulfilled', value })));
  }
}, 60_000);

/** The tiny decoder with NaN as the embedding of the letter z. */
function withPoisonedToken(): Uint8Array {
  const model = decodeModel(tinyDecoder({ vocab }));
  for (const weight of model.graph.initializer) {
    if (weight.name !== 'embedding' || weight.rawData === undefined) continue;
    const values = new Float32Array(Uint8Array.from(weight.rawData).buffer);
    values.fill(Number.NaN, poison * width, (poison + 1) * width);
    weight.rawData = new Uint8Array(values.buffer);
  }
  return encodeModel(model);
}
