import { describe, expect, it } from 'vitest';
import { answers, refusals } from '../errors.ts';
import { graphFailure } from './graph-failure.ts';
import { oipRefusal } from './oip/refusal.ts';
import { openAiRefusal } from './openai/refusal.ts';

describe('an error of the graph', () => {
  const failure = graphFailure({
    message: 'Too much work is waiting; try again later',
    path: ['predict'],
    extensions: { code: 'OVERLOADED', retryAfterMs: 250, details: { field: 'x', secret: 1 } },
  });

  it('keeps its code, sentence and wait, and gets the status that HTTP has for it', () => {
    expect(failure).toMatchObject({
      message: 'Too much work is waiting; try again later',
      kind: { code: 'OVERLOADED', status: 429 },
      details: { retryAfterMs: 250, field: 'x' },
    });
  });

  it('without a known code is a fault of ours', () => {
    expect(graphFailure({ message: 'm', extensions: { code: 'ODD' } }).kind.status).toBe(500);
    expect(graphFailure({ message: 'm' }).kind).toEqual({ code: 'INTERNAL_ERROR', status: 500 });
  });

  it('reads as each protocol’s clients expect', () => {
    expect(oipRefusal(failure)).toEqual({
      error: 'Too much work is waiting; try again later',
      code: 'OVERLOADED',
    });
    expect(openAiRefusal(failure)).toEqual({
      error: {
        message: 'Too much work is waiting; try again later',
        type: 'rate_limit_error',
        param: 'x',
        code: 'rate_limit_exceeded',
      },
    });
  });
});

describe('a refusal of the router', () => {
  it.each([
    [answers.UNAUTHENTICATED(), 'authentication_error', 'invalid_api_key'],
    [refusals.RATE(), 'rate_limit_error', 'rate_limit_exceeded'],
    [refusals.BODY(), 'invalid_request_error', 'body'],
    [answers.UNAVAILABLE(), 'server_error', 'unavailable'],
  ])('%s is of type %s for OpenAI’s clients', (error, type, code) => {
    expect(openAiRefusal(error)).toMatchObject({ error: { type, code } });
  });
});
