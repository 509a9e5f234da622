import { readFileSync } from 'node:fs';
import type { GenerationEvent } from '@opea/schema/runtime';
import { expect, test } from 'vitest';
import { openTinyGenerator, type TinyGenerator } from '../testing/tiny-generator.ts';

const file = (name: string) => new URL(`../../models/storyteller/${name}`, import.meta.url);
const prompts = [
  'Once upon a time',
  'The king',
  'In a dark forest there lived',
  'A fox said: "',
  'She',
];

async function tell({ generator }: TinyGenerator, prompt: string, seed: number) {
  const events: AsyncIterable<GenerationEvent> = generator.generate(
    { prompt, seed, maxTokens: 30, temperature: 0.8, topK: 50, topP: 0.9, repetitionPenalty: 1.1 },
    { requestId: 'req', tenant: 'acme', signal: new AbortController().signal },
  );
  const tokens = [];
  for await (const event of events) if (event.type === 'token') tokens.push(event);
  return tokens;
}

test('the storyteller, in eight bits, tells the same tale bit for bit alone and beside others', async () => {
  await using storyteller = await openTinyGenerator({
    model: readFileSync(file('model.onnx')),
    tokenizer: readFileSync(file('tokenizer.json'), 'utf8'),
    config: { maxContext: 256 },
  });
  expect(storyteller.generator.info.batchInvariant).toBe(true);
  const together = await Promise.all(
    prompts.map((prompt, seed) => tell(storyteller, prompt, seed)),
  );
  for (const [seed, prompt] of prompts.entries())
    expect(together[seed]).toEqual(await tell(storyteller, prompt, seed));
  expect(together[0]?.map(({ text }) => text).join('')).toMatch(/[a-z]{3,} [a-z]{2,}/);
}, 120_000);
