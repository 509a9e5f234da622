import { Duplex } from 'node:stream';
import type { Engine } from './pglite-engine.ts';

/** Looks like a socket to the `pg` driver, and carries its bytes to the engine in the worker and back. */
export class PgliteWire extends Duplex {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    super();
    this.#engine = engine;
    engine.onReply = (bytes) => this.push(bytes);
    engine.onFailure = (error) => this.destroy(error);
  }

  connect(): this {
    queueMicrotask(() => this.emit('connect'));
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#send(chunk);
    done();
  }

  override _writev(
    chunks: readonly { readonly chunk: Buffer }[],
    done: (error?: Error | null) => void,
  ): void {
    this.#send(Buffer.concat(chunks.map(({ chunk }) => chunk)));
    done();
  }

  override _final(done: () => void): void {
    this.push(null);
    done();
  }

  /** The driver's goodbye ('X') stays here: it would end the engine's only session. */
  #send(bytes: Buffer): void {
    if (bytes[0] !== 0x58) this.#engine.send(bytes);
  }
}
