import {
  type CryptoKey,
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
} from 'jose';

/** An Ed25519 key pair. `kid` is the RFC 7638 thumbprint of the public key, `jwk` its public half. */
export interface SigningKeys {
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly kid: string;
  readonly jwk: JWK;
}

/** A fresh pair; `extractable` lets the private half be exported and stored. */
export async function newSigningKeys({ extractable = false } = {}): Promise<SigningKeys> {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', {
    crv: 'Ed25519',
    extractable,
  });
  return describe(privateKey, publicKey);
}

/** The pair of a stored private JWK (`kty: OKP`, `crv: Ed25519`, with `d`). */
export async function signingKeysFrom(jwk: JWK): Promise<SigningKeys> {
  const { d, ...open } = jwk;
  if (jwk.kty !== 'OKP' || jwk.crv !== 'Ed25519' || d === undefined) {
    throw new Error('Expected a private Ed25519 JWK');
  }
  return describe(await imported(jwk), await imported(open));
}

async function describe(privateKey: CryptoKey, publicKey: CryptoKey): Promise<SigningKeys> {
  const bare = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(bare);
  return { privateKey, publicKey, kid, jwk: { ...bare, kid, alg: 'EdDSA', use: 'sig' } };
}

async function imported(jwk: JWK): Promise<CryptoKey> {
  const key = await importJWK(jwk, 'EdDSA');
  if (key instanceof Uint8Array) throw new Error('Expected an asymmetric key');
  return key;
}
