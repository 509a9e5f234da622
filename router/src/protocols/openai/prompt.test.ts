import { describe, expect, it } from 'vitest';
import { chatPrompt, completionPrompt } from './prompt.ts';

describe('the chat template', () => {
  it('continues what was said when nothing was answered yet', () => {
    const prompt = chatPrompt([
      { role: 'system', content: 'A tale.' },
      { role: 'user', content: 'Once upon a time' },
    ]);
    expect(prompt).toEqual({ text: 'A tale.\n\nOnce upon a time', stop: [] });
  });

  it('labels the turns of a dialogue, and ends the answer where the other would speak', () => {
    const prompt = chatPrompt([
      { role: 'developer', content: 'Be brief.' },
      { role: 'user', content: 'Who?' },
      { role: 'assistant', content: 'A wolf.' },
      { role: 'user', content: 'Where?' },
    ]);
    expect(prompt).toEqual({
      text: 'System: Be brief.\n\nUser: Who?\n\nAssistant: A wolf.\n\nUser: Where?\n\nAssistant:',
      stop: ['\nUser:'],
    });
  });
});

describe('the prompt of a completion', () => {
  it('is a text, also as a list of one', () => {
    expect(completionPrompt('a')).toBe('a');
    expect(completionPrompt(['a'])).toBe('a');
  });

  it.each([[['a', 'b']], [[1, 2]], [[]], [[[1]]]])('is not %j', (prompt) => {
    expect(() => completionPrompt(prompt)).toThrow(/one text/);
  });
});
