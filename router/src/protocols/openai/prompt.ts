import { invalidRequest } from '../graph-failure.ts';

export interface ChatMessage {
  readonly role: 'system' | 'developer' | 'user' | 'assistant';
  readonly content: string;
}

export interface ChatPrompt {
  readonly text: string;
  /** Strings that end the answer besides those the caller gave. */
  readonly stop: readonly string[];
}

const labels = { system: 'System', developer: 'System', user: 'User', assistant: 'Assistant' };

/**
 * Messages as one text to continue. Base models know no roles: without an answer among the messages they are joined
 * by an empty line and simply continued; a dialogue gets a label for each turn and ends on `Assistant:`.
 */
export function chatPrompt(messages: readonly ChatMessage[]): ChatPrompt {
  if (!messages.some(({ role }) => role === 'assistant'))
    return { text: messages.map(({ content }) => content).join('\n\n'), stop: [] };
  const turns = messages.map(({ role, content }) => `${labels[role]}: ${content}`);
  return { text: [...turns, 'Assistant:'].join('\n\n'), stop: ['\nUser:'] };
}

/** The one prompt of a completion. Throws INVALID_REQUEST for token ids and for several prompts. */
export function completionPrompt(
  prompt: string | readonly string[] | readonly number[] | readonly (readonly number[])[],
): string {
  if (typeof prompt === 'string') return prompt;
  const [first] = prompt;
  if (prompt.length === 1 && typeof first === 'string') return first;
  throw invalidRequest({
    field: 'prompt',
    problem: 'is one text: token ids and several prompts in a request are not supported',
  });
}
