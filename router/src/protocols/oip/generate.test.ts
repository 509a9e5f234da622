import { describe, expect, it } from 'vitest';
import { generateInput, generateShape } from './generate.ts';

describe('a generate request', () => {
  it('has its settings in `parameters` or beside its text; those in `parameters` win', () => {
    const request = generateShape.parse({
      text_input: 'Once',
      max_tokens: 9,
      top_k: 3,
      parameters: { max_tokens: 5, temperature: 0, stop: ['.'], stream: true },
    });
    expect(generateInput(request)).toMatchObject({
      prompt: 'Once',
      maxTokens: 5,
      topK: 3,
      temperature: 0,
      stop: ['.'],
    });
  });

  it('needs a text', () => {
    expect(generateShape.safeParse({ parameters: {} }).success).toBe(false);
  });
});
