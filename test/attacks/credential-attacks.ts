/* oxlint-disable vitest/no-standalone-expect -- attacks are a table; attacks.test.ts runs each inside a test */
import { createHmac } from 'node:crypto';
import { systemClock } from '@opea/kernel/clock';
import { exportSPKI, generateKeyPair, importJWK } from 'jose';
import { expect } from 'vitest';
import { type Attack, answerFrom, expectRefusal, post } from './attack.ts';
import type { Target, TokenOptions } from './target.ts';

const asked = { query: '{ me { name } }' };
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token made from a good one, part by part. */
const reshaped =
  (change: (parts: readonly [string, string, string]) => string) => async (target: Target) => {
    const [header = '', payload = '', signature = ''] = (await target.token()).split('.');
    return change([header, payload, signature]);
  };

const issued = (options: TokenOptions) => (target: Target) => target.token(options);
const now = () => Math.floor(systemClock().getTime() / 1000);

/** Characters after the last whole byte that decode to the same signature: not the same text. */
function otherSpelling(signature: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.indexOf(signature.at(-1) ?? '');
  return signature.slice(0, -1) + alphabet.charAt(last ^ 1);
}

const hostile: readonly (readonly [string, (target: Target) => Promise<string>])[] = [
  [
    'of algorithm none',
    reshaped(([, payload]) => `${encode({ alg: 'none', typ: 'at+jwt' })}.${payload}.`),
  ],
  [
    'of algorithm None',
    reshaped(([, payload]) => `${encode({ alg: 'None', typ: 'at+jwt', kid: 'x' })}.${payload}.AA`),
  ],
  ['without a signature', reshaped(([header, payload]) => `${header}.${payload}.`)],
  ['of two parts', reshaped(([header, payload]) => `${header}.${payload}`)],
  ['of four parts', reshaped((parts) => `${parts.join('.')}.x`)],
  ['of five parts, like an encrypted one', reshaped((parts) => `${parts.join('.')}.x.y`)],
  [
    'with a signature changed',
    reshaped(
      ([header, payload, signature]) =>
        `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
    ),
  ],
  [
    'with a signature spelled otherwise',
    reshaped(([header, payload, signature]) => `${header}.${payload}.${otherSpelling(signature)}`),
  ],
  ['with padding', reshaped((parts) => `${parts.join('.')}=`)],
  [
    'with a padded payload',
    reshaped(([header, payload, signature]) => `${header}.${payload}=.${signature}`),
  ],
  [
    'with a truncated signature',
    reshaped(([header, payload, signature]) => `${header}.${payload}.${signature.slice(0, -4)}`),
  ],
  [
    'with a longer signature',
    reshaped(([header, payload, signature]) => `${header}.${payload}.${signature}AAAA`),
  ],
  [
    'with another payload',
    reshaped(
      ([header, , signature]) =>
        `${header}.${encode({ sub: 'prn_root', tenant: 'x' })}.${signature}`,
    ),
  ],
  [
    'with a payload that is not JSON',
    reshaped(
      ([header, , signature]) =>
        `${header}.${Buffer.from('hello').toString('base64url')}.${signature}`,
    ),
  ],
  [
    'with a header that is not JSON',
    reshaped(
      ([, payload, signature]) =>
        `${Buffer.from('hello').toString('base64url')}.${payload}.${signature}`,
    ),
  ],
  [
    'with the header of a list',
    reshaped(([, payload, signature]) => `${encode([])}.${payload}.${signature}`),
  ],
  ['of nothing but dots', async () => '..'],
  ['signed by the public key as a shared secret', confused],
  [
    'signed by another key under our key id',
    async (target) => target.token({ key: (await generateKeyPair('EdDSA')).privateKey }),
  ],
  ['that brings its own key', broughtKey],
  ['that names an address for its keys', issued({ header: { jku: 'https://evil.example/jwks' } })],
  ['that names a certificate address', issued({ header: { x5u: 'https://evil.example/cert' } })],
  ['that brings a certificate', issued({ header: { x5c: ['MIIB'] } })],
  [
    'with a critical extension',
    reshaped(
      ([, payload, signature]) =>
        `${encode({ alg: 'EdDSA', typ: 'at+jwt', kid: 'x', crit: ['exp'], exp: 1 })}.${payload}.${signature}`,
    ),
  ],
  [
    'with an unencoded payload',
    reshaped(
      ([, payload, signature]) =>
        `${encode({ alg: 'EdDSA', typ: 'at+jwt', kid: 'x', b64: false, crit: ['b64'] })}.${payload}.${signature}`,
    ),
  ],
  ['of an unknown key id', issued({ header: { kid: 'unknown' } })],
  ['of a key id that walks the file system', issued({ header: { kid: '../../../dev/null' } })],
  ['of a key id that speaks SQL', issued({ header: { kid: "' OR '1'='1" } })],
  ['without a key id', issued({ header: { kid: undefined } })],
  ['of another type', issued({ header: { typ: 'JWT' } })],
  ['of the internal context type', issued({ header: { typ: 'opea-context+jwt' } })],
  ['without a type', issued({ header: { typ: undefined } })],
  ['that expired', issued({ expiresInMs: -2_000 })],
  ['without an end', issued({ claims: { exp: undefined } })],
  ['that is not valid yet', issued({ claims: { nbf: now() + 3_600 } })],
  ['issued in the future', issued({ claims: { iat: now() + 3_600, nbf: now() + 3_600 } })],
  ['of another issuer', issued({ claims: { iss: 'https://evil.example' } })],
  ['without an issuer', issued({ claims: { iss: undefined } })],
  ['for another audience', issued({ claims: { aud: 'opea:registry' } })],
  ['without an audience', issued({ claims: { aud: undefined } })],
  ['without a subject', issued({ claims: { sub: undefined } })],
  ['without an id', issued({ claims: { jti: undefined } })],
  ['without a tenant', issued({ claims: { tenant: undefined } })],
  ['of an empty tenant', issued({ claims: { tenant: '' } })],
  ['of an unknown role', issued({ claims: { roles: ['ROOT'] } })],
  ['of roles that are no list', issued({ claims: { roles: 'TENANT_ADMIN' } })],
];

/** RFC 8725, 2.1: the public key is no secret, so nobody may use it as one. */
async function confused(target: Target): Promise<string> {
  const [, payload = ''] = (await target.token()).split('.');
  const { jwk } = target.signing;
  const publicKey = await importJWK(jwk, 'EdDSA', { extractable: true });
  if (publicKey instanceof Uint8Array) throw new Error('Expected a public key');
  const signed = `${encode({ alg: 'HS256', typ: 'at+jwt', kid: jwk.kid })}.${payload}`;
  const mac = createHmac('sha256', await exportSPKI(publicKey))
    .update(signed)
    .digest('base64url');
  return `${signed}.${mac}`;
}

async function broughtKey(target: Target): Promise<string> {
  const pair = await generateKeyPair('EdDSA', { extractable: true });
  return target.token({
    key: pair.privateKey,
    header: { jwk: { kty: 'OKP', crv: 'Ed25519', x: 'AA' } },
  });
}

const tokens: readonly Attack[] = hostile.map(([title, make]) => ({
  id: 'A92',
  title: `a token ${title}`,
  run: async (target) =>
    expectRefusal(await post(target, asked, bearer(await make(target))), 401, 'UNAUTHENTICATED'),
}));

const keys: readonly Attack[] = [
  ['with a wrong checksum', (key: string) => `${key.slice(0, -1)}x`],
  ['cut short', (key: string) => key.slice(0, -10)],
  ['with another prefix', (key: string) => key.replace('opea_', 'opeb_')],
  ['of another environment', (key: string) => key.replace('_test_', '_live_')],
  ['with something behind it', (key: string) => `${key}%00`],
  ['in another case', (key: string) => key.toUpperCase()],
].map(([title, change]) => ({
  id: 'A96',
  title: `a key ${String(title)}`,
  async run(target: Target) {
    const key = typeof change === 'function' ? change(target.key) : '';
    expectRefusal(await post(target, asked, bearer(key)), 401, 'UNAUTHENTICATED');
    expectRefusal(await post(target, asked, { 'x-api-key': key }), 401, 'UNAUTHENTICATED');
  },
}));

export const credentialAttacks: readonly Attack[] = [
  ...tokens,
  {
    id: 'A92',
    title: 'a good token is accepted, so the others are refused for a reason',
    async run(target) {
      const answer = await post(target, asked, bearer(await target.token()));
      expect(JSON.parse(answer.text)).toEqual({ data: { me: { name: 'ada' } } });
    },
  },
  ...keys,
  ...['key', 'api_key', 'apikey', 'access_token', 'token', 'x'].map(
    (name): Attack => ({
      id: 'A97',
      title: `a key in the address as ${name}`,
      async run(target) {
        const url = `${target.graphUrl}?query=%7B__typename%7D&${name}=${target.key}`;
        const response = await fetch(url, { headers: { 'apollo-require-preflight': '1' } });
        expectRefusal(await answerFrom(response), 400, 'CREDENTIAL_IN_URL');
        expect(target.logLines.join('')).not.toContain(target.key);
      },
    }),
  ),
  {
    id: 'A98',
    title: 'a key and a token at once',
    async run(target) {
      const headers = { ...bearer(await target.token()), 'x-api-key': target.key };
      expectRefusal(await post(target, asked, headers), 400, 'TWO_CREDENTIALS');
    },
  },
  {
    id: 'A103',
    title: '300 tokens of unknown key ids ask for the keys at most twice',
    async run(target) {
      const before = target.jwksFetches();
      for (let count = 0; count < 300; count += 1) {
        const token = await target.token({ header: { kid: `unknown-${count}` } });
        expect((await post(target, asked, bearer(token))).status).toBe(401);
      }
      expect(target.jwksFetches() - before).toBeLessThanOrEqual(2);
    },
  },
];
