import type { JSONWebKeySet } from 'jose';
import { z } from 'zod';

/** A configured JWK set (RFC 7517) of public Ed25519 keys, from its JSON text. A private key in it is refused, not ignored. */
export function keySetFrom(text: string): JSONWebKeySet {
  const parsed = set.safeParse(parsedJson(text));
  if (!parsed.success)
    throw new Error(
      'Expected a JWK set of public Ed25519 keys, such as {"keys":[{"kty":"OKP",…}]}',
    );
  return parsed.data;
}

const set = z.object({
  keys: z
    .array(
      z.strictObject({
        kty: z.literal('OKP'),
        crv: z.literal('Ed25519'),
        x: z.string().min(1),
        kid: z.string().exactOptional(),
        alg: z.string().exactOptional(),
        use: z.string().exactOptional(),
      }),
    )
    .min(1),
});

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
