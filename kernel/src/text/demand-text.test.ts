import { describe, expect, test } from 'vitest';
import { demandJsonText, demandText } from './index.ts';

const refused = expect.objectContaining({
  kind: expect.objectContaining({ code: 'BAD_USER_INPUT' }),
});

describe('text', () => {
  test.for(['', 'plain', 'a\nb', 'émoji 🎈', '__proto__'])('%j is taken', (text) => {
    expect(() => demandText(text, { field: 'name', max: 20 })).not.toThrow();
  });

  test.for(['a\u0000b', '\ud800', 'a\udc00', 'x'.repeat(21)])('%j is refused', (text) => {
    expect(() => demandText(text, { field: 'name', max: 20 })).toThrow(refused);
  });

  test('of blanks alone is too short where something must be said', () => {
    expect(() => demandText('   ', { field: 'name', min: 1, max: 20 })).toThrow(refused);
  });
});

describe('JSON', () => {
  test.for([null, undefined, 1, 'a', { a: ['b', { c: null }] }])('%j is taken', (value) => {
    expect(() => demandJsonText(value, { field: 'params', max: 100 })).not.toThrow();
  });

  test.for([
    ['a text with NUL', { a: ['\u0000'] }],
    ['a key with half a pair', { '\ud800': 1 }],
    ['too much', 'x'.repeat(100)],
  ] as const)('%s is refused', ([, value]) => {
    expect(() => demandJsonText(value, { field: 'params', max: 100 })).toThrow(refused);
  });
});
