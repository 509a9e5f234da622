import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hashOfKey, keyFormat } from './key-format.ts';

const format = keyFormat('test');

test('a new key is well formed, names its environment, and never comes twice', () => {
  const keys = Array.from({ length: 200 }, () => format.make().key);

  expect(keys.every(format.isWellFormed)).toBe(true);
  expect(keys.every((key) => /^opea_test_[0-9A-Za-z]{49}$/.test(key))).toBe(true);
  expect(new Set(keys).size).toBe(200);
});

test('its prefix begins the key and leaves most of the secret out', () => {
  const { key, prefix } = format.make();

  expect(key.startsWith(prefix)).toBe(true);
  expect(prefix).toHaveLength('opea_test_'.length + 6);
});

test('any one character changed makes it malformed', () => {
  const { key } = format.make();
  fc.assert(
    fc.property(
      fc.nat(key.length - 1),
      fc.string({ minLength: 1, maxLength: 1, unit: 'binary-ascii' }),
      (at, character) => {
        const changed = key.slice(0, at) + character + key.slice(at + 1);
        expect(format.isWellFormed(changed)).toBe(changed === key);
      },
    ),
  );
});

test.for([
  ['nothing', ''],
  ['a truncated key', format.make().key.slice(0, -1)],
  ['a key with something after it', `${format.make().key}a`],
  ['a key with a line break', `${format.make().key}\n`],
  ['a key of another environment', keyFormat('live').make().key],
  ['a key of another program', `ghp_${'a'.repeat(36)}`],
])('%s is malformed', ([, key]) => {
  expect(format.isWellFormed(key ?? '')).toBe(false);
});

test('what is stored is the SHA-256 of the whole key', () => {
  expect(hashOfKey('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

test.for(['', 'Prod', 'a_b', 'x'.repeat(17)])('"%s" is no environment', (environment) => {
  expect(() => keyFormat(environment)).toThrow('An environment is');
});
