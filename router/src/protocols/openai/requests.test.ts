import { describe, expect, it } from 'vitest';
import { chatInput } from './chat-completions.ts';
import { completionInput } from './completions.ts';
import { chatShape, completionShape } from './shapes.ts';

describe('a completion request', () => {
  it('becomes the input of a generation', () => {
    const request = completionShape.parse({
      model: 'teller@canary',
      prompt: 'Once',
      max_tokens: 5,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      seed: 3,
      stop: '.',
      n: 1,
      frequency_penalty: 0,
      user: 'ignored',
    });
    expect(completionInput(request)).toEqual({
      model: 'teller',
      alias: 'canary',
      prompt: 'Once',
      maxTokens: 5,
      temperature: 0.5,
      topP: 0.9,
      topK: 40,
      minP: undefined,
      repetitionPenalty: undefined,
      seed: 3,
      stop: ['.'],
    });
  });

  it('keeps different large seeds apart within 31 bits', () => {
    const seedOf = (seed: number) =>
      completionInput(completionShape.parse({ model: 'm', prompt: '', seed })).seed;
    expect(seedOf(-1)).toBe(2 ** 31 - 1);
    expect(seedOf(2 ** 40 + 5)).toBe(5);
    expect(seedOf(2 ** 40 + 5)).not.toBe(seedOf(2 ** 40 + 6));
  });

  it.each([
    { n: 2 },
    { best_of: 3 },
    { echo: true },
    { suffix: 'x' },
    { presence_penalty: 1 },
    { logit_bias: { 1: 2 } },
    { logprobs: 5 },
    { temperature: 9 },
    { stop: ['a', 'b', 'c', 'd', 'e'] },
  ])('that asks for %j is refused, not served otherwise', (asked) => {
    expect(completionShape.safeParse({ model: 'm', prompt: 'a', ...asked }).success).toBe(false);
  });
});

describe('a chat request', () => {
  const messages = [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Hel' },
        { type: 'text', text: 'lo' },
      ],
    },
    { role: 'assistant', content: 'Yes?' },
  ];

  it('keeps at most four stop strings, the caller’s first', () => {
    const request = chatShape.parse({ model: 'm@2', messages, stop: ['a', 'b', 'c', 'd'] });
    expect(chatInput(request)).toMatchObject({
      model: 'm',
      version: 2,
      stop: ['a', 'b', 'c', 'd'],
    });
    const bare = chatShape.parse({ model: 'm', messages, max_tokens: 9, max_completion_tokens: 4 });
    expect(chatInput(bare)).toMatchObject({ stop: ['\nUser:'], maxTokens: 4 });
  });

  it.each([
    { tools: [{ type: 'function' }] },
    { response_format: { type: 'json_object' } },
    { top_logprobs: 2 },
    { messages: [] },
    { messages: [{ role: 'tool', content: 'x' }] },
    { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: 'x' }] }] },
  ])('with %j is refused', (asked) => {
    expect(chatShape.safeParse({ model: 'm', messages, ...asked }).success).toBe(false);
  });
});
