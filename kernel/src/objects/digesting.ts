import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';
import { type Digest, digestMismatch, objectTooLarge, type StoredObject } from './object-store.ts';

/** Passes bytes through and knows their digest and size when they are over. */
export class Digesting extends Transform {
  readonly #hash = createHash('sha256');
  readonly #maxBytes: number;
  #size = 0;
  #result: StoredObject | undefined;

  constructor({ maxBytes = Number.POSITIVE_INFINITY }: { readonly maxBytes?: number } = {}) {
    super();
    this.#maxBytes = maxBytes;
  }

  /** Only after the stream has ended. */
  get result(): StoredObject {
    if (!this.#result) throw new Error('The stream has not ended');
    return this.#result;
  }

  override _transform(
    chunk: Buffer,
    _encoding: string,
    done: (error?: Error | null, data?: Buffer) => void,
  ): void {
    this.#size += chunk.length;
    if (this.#size > this.#maxBytes) {
      done(objectTooLarge({}));
      return;
    }
    this.#hash.update(chunk);
    done(null, chunk);
  }

  override _flush(done: () => void): void {
    const digest: Digest = `sha256:${this.#hash.digest('hex')}`;
    this.#result = { digest, size: this.#size };
    done();
  }
}

/** Passes bytes through, and fails at their end when they are not those the digest names. */
export class Verifying extends Transform {
  readonly #hash = createHash('sha256');
  readonly #expected: string;

  constructor(expected: string) {
    super();
    this.#expected = expected;
  }

  override _transform(
    chunk: Buffer,
    _encoding: string,
    done: (error?: Error | null, data?: Buffer) => void,
  ): void {
    this.#hash.update(chunk);
    done(null, chunk);
  }

  override _flush(done: (error?: Error | null) => void): void {
    const actual = `sha256:${this.#hash.digest('hex')}`;
    done(actual === this.#expected ? null : digestMismatch({ expected: this.#expected, actual }));
  }
}
