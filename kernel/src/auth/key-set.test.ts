import { exportJWK } from 'jose';
import { expect, test } from 'vitest';
import { keySetFrom } from './key-set.ts';
import { newSigningKeys } from './signing-keys.ts';

test('a set of public keys is taken as it is', async () => {
  const { jwk } = await newSigningKeys();

  expect(keySetFrom(JSON.stringify({ keys: [jwk] }))).toEqual({ keys: [jwk] });
});

test('a private key is refused', async () => {
  const { privateKey } = await newSigningKeys({ extractable: true });
  const jwk = await exportJWK(privateKey);

  expect(() => keySetFrom(JSON.stringify({ keys: [jwk] }))).toThrow('public Ed25519 keys');
});

test.for(['', '{}', '{"keys":[]}', '{"keys":[{"kty":"RSA"}]}', 'null'])('%s is refused', (text) => {
  expect(() => keySetFrom(text)).toThrow('Expected a JWK set');
});
