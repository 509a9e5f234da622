import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { sealWith } from './seal.ts';

const seal = sealWith(randomBytes(32));

test('what was closed can be opened, and does not show', () => {
  const sealed = seal.close('private', 'kid-1');

  expect(seal.open(sealed, 'kid-1')).toBe('private');
  expect(sealed).not.toContain('private');
  expect(seal.close('private', 'kid-1')).not.toBe(sealed);
});

test.for([
  ['another key', () => sealWith(randomBytes(32)).open(seal.close('x', 'a'), 'a')],
  ['another label', () => seal.open(seal.close('x', 'a'), 'b')],
  ['a changed byte', () => seal.open(flipped(seal.close('x', 'a')), 'a')],
  ['something short', () => seal.open('v1.AAAA', 'a')],
] as const)('%s does not open it', ([, open]) => {
  expect(open).toThrow(expect.objectContaining({ kind: { code: 'SEAL_BROKEN', status: 500 } }));
});

test('a key of another length is refused', () => {
  expect(() => sealWith(randomBytes(16))).toThrow('32 bytes');
});

function flipped(sealed: string): string {
  const bytes = Buffer.from(sealed.slice(3), 'base64url');
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  return `v1.${bytes.toString('base64url')}`;
}
