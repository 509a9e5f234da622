import type { GenerationEvent } from '@opea/schema/runtime';
import { describe, expect, test } from 'vitest';
import { decodeModel, encodeModel, floatTensor } from '../../onnx/index.ts';
import { openTinyGenerator, type TinyGenerator } from '../../testing/tiny-generator.ts';
import { tinyHuggingFaceExport } from '../../testing/tiny-hugging-face-export.ts';
import { tinyTokenizer } from '../../testing/tiny-tokenizer.ts';
import type { GenerationOptions } from '../index.ts';
import { adaptHuggingFaceExport } from './adapt-hugging-face-export.ts';

const { vocab } = tinyTokenizer();
const exported = tinyHuggingFaceExport({ vocab });

async function tokens({ generator }: TinyGenerator, options: GenerationOptions) {
  const request = { requestId: 'req', tenant: 'acme', signal: new AbortController().signal };
  const found: Extract<GenerationEvent, { type: 'token' }>[] = [];
  for await (const event of generator.generate(options, request))
    if (event.type === 'token') found.push(event);
  return found;
}

describe('a decoder exported by Hugging Face', () => {
  test('generates, once adapted, what the same weights generate in the runtime’s own layout', async () => {
    await using own = await openTinyGenerator();
    await using adapted = await openTinyGenerator({ model: adaptHuggingFaceExport(exported) });
    expect(adapted.generator.info).toMatchObject({ context: 128, vocab, batchInvariant: true });
    const prompts = ['a', 'the hen in the rain, ', 'it is an old tale that they all tell there'];
    const options = prompts.map((prompt) => ({ prompt, maxTokens: 40, temperature: 0 }));
    const [ours, theirs, alone] = await Promise.all([
      Promise.all(options.map((given) => tokens(own, given))),
      Promise.all(options.map((given) => tokens(adapted, given))),
      tokens(adapted, options[1] ?? { prompt: '' }),
    ]);
    for (const [index, answer] of ours.entries()) {
      expect(theirs[index]?.map(({ tokenId }) => tokenId)).toEqual(
        answer.map(({ tokenId }) => tokenId),
      );
      for (const [at, { logprob }] of answer.entries())
        expect(theirs[index]?.[at]?.logprob).toBeCloseTo(logprob, 3);
    }
    expect(theirs[1]).toEqual(alone);
  }, 60_000);

  test('keeps its weights and loses its present outputs', () => {
    const { graph } = decodeModel(adaptHuggingFaceExport(exported));
    const names = graph.output.map(({ name }) => name);
    expect(names).toEqual(['logits', 'new_key.0', 'new_value.0', 'new_key.1', 'new_value.1']);
    expect(graph.initializer.find(({ name }) => name === 'embedding')).toEqual(
      decodeModel(exported.model).graph.initializer.find(({ name }) => name === 'embedding'),
    );
  });

  test.each([
    ['without position_ids', 'position_ids', dropInput('position_ids')],
    ['without a past', 'past_key_values', dropInput('past_key_values')],
    ['with fused attention', 'Attention', fuseAttention],
    ['with weights in another file', 'another file', moveWeights],
  ])('is refused %s, in a sentence that says so', (_, problem, damage) => {
    expect(() => adaptHuggingFaceExport({ ...exported, model: damage(exported.model) })).toThrow(
      problem,
    );
  });
});

function dropInput(prefix: string) {
  return (bytes: Uint8Array) => {
    const model = decodeModel(bytes);
    model.graph.input = model.graph.input.filter(({ name }) => !name.startsWith(prefix));
    return encodeModel(model);
  };
}

function fuseAttention(bytes: Uint8Array): Uint8Array {
  const model = decodeModel(bytes);
  for (const node of model.graph.node)
    if (node.output.includes('present.0.key')) node.opType = 'GroupQueryAttention';
  return encodeModel(model);
}

function moveWeights(bytes: Uint8Array): Uint8Array {
  const model = decodeModel(bytes);
  const outside = { ...floatTensor('far', [1], Float32Array.of(0)), dataLocation: 1 };
  model.graph.initializer.push({ ...outside, externalData: [{ key: 'location', value: 'w.bin' }] });
  return encodeModel(model);
}
