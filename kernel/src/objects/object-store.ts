import type { Readable } from 'node:stream';
import { badUserInput, defineError } from '../errors/index.ts';

/** `sha256:` and 64 lower-case hex digits. */
export type Digest = `sha256:${string}`;

export interface StoredObject {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

export interface PutOptions {
  readonly maxBytes?: number;
  readonly expectedDigest?: string;
  readonly signal?: AbortSignal;
}

/** Immutable bytes, named by their SHA-256. The same bytes are kept once. */
export interface ObjectStore extends AsyncDisposable {
  /**
   * Keeps the bytes; durable when it resolves. `existed`: they were here already.
   * Throws OBJECT_TOO_LARGE, DIGEST_MISMATCH (nothing is kept), CANCELLED.
   */
  put(
    source: Readable | AsyncIterable<Uint8Array> | Uint8Array,
    options?: PutOptions,
  ): Promise<StoredObject & { readonly existed: boolean }>;
  /**
   * The bytes as a stream; `range` is inclusive, in bytes. A whole read is verified as it streams and ends in DIGEST_MISMATCH
   * when the bytes are not what was put; a range cannot be verified. Throws OBJECT_NOT_FOUND.
   */
  get(
    digest: string,
    options?: { readonly range?: ByteRange; readonly signal?: AbortSignal },
  ): Promise<Readable>;
  stat(digest: string): Promise<StoredObject | undefined>;
  /** Whether there was one. */
  delete(digest: string): Promise<boolean>;
}

export interface ByteRange {
  readonly from: number;
  readonly to?: number;
}

export const objectNotFound = defineError(
  'OBJECT_NOT_FOUND',
  404,
  (_: { digest: string }) => 'There is no such object.',
);
export const objectTooLarge = defineError(
  'OBJECT_TOO_LARGE',
  413,
  (_: Record<string, never>) => 'The object is larger than it may be.',
);
export const digestMismatch = defineError(
  'DIGEST_MISMATCH',
  422,
  (_: { expected: string; actual: string }) => 'The bytes are not those the digest names.',
);

/** The 64 hex digits of a digest. Throws BAD_USER_INPUT for anything else, so no path can be smuggled in. */
export function hexOf(digest: string): string {
  const hex = /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1];
  if (hex === undefined) {
    throw badUserInput({ reason: 'Expected a digest: sha256: and 64 hex digits.' });
  }
  return hex;
}
