import { describe, expect, it } from 'vitest';
import { modelChoice } from './model-name.ts';

describe('a model’s name', () => {
  it.each([
    ['digits', { model: 'digits' }],
    ['digits@canary', { model: 'digits', alias: 'canary' }],
    ['digits@3', { model: 'digits', version: 3 }],
    ['digits@0', { model: 'digits', alias: '0' }],
  ])('%s means %j', (text, choice) => {
    expect(modelChoice(text)).toEqual(choice);
  });

  it.each(['', '@', 'digits@', '@3', 'a@b@c'])('%j means nothing', (text) => {
    expect(() => modelChoice(text)).toThrow(/is a name/);
  });
});
