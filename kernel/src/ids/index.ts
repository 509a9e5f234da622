import { v7 } from 'uuid';

/** A new UUID version 7 (RFC 9562): unique, and sorted by the time it was made. */
export const newId = (): string => v7();

/** The opaque id of a thing, such as `mdl_Y2h1cm4`. `kind` is a short lower-case prefix. */
export const idOf = (kind: string, key: string): string =>
  `${kind}_${Buffer.from(key, 'utf8').toString('base64url')}`;

/** The key inside an opaque id; `undefined` for a foreign, malformed or non-canonical id. */
export function keyOf(kind: string, id: string): string | undefined {
  if (!id.startsWith(`${kind}_`)) return undefined;
  const key = Buffer.from(id.slice(kind.length + 1), 'base64url').toString('utf8');
  return key !== '' && idOf(kind, key) === id ? key : undefined;
}
