// Makes the key pair by which subgraphs know the router: CONTEXT_KEY is the router's secret, CONTEXT_JWKS goes to every
// subgraph. `node scripts/context-keys.mjs >> .env`. To rotate: give subgraphs both public keys, then the router the new one.
import { createHash, generateKeyPairSync } from 'node:crypto';

const { privateKey } = generateKeyPairSync('ed25519');
const secret = privateKey.export({ format: 'jwk' });
const { crv, kty, x } = secret;
// RFC 7638: the hash of the required members in alphabetical order.
const kid = createHash('sha256').update(JSON.stringify({ crv, kty, x })).digest('base64url');
const open = { kty, crv, x, kid, alg: 'EdDSA', use: 'sig' };
process.stdout.write(`CONTEXT_KEY='${JSON.stringify(secret)}'\n`);
process.stdout.write(`CONTEXT_JWKS='${JSON.stringify({ keys: [open] })}'\n`);
