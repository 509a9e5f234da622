/**
 * Code that runs inside an engine worker and holds what must not live in the main process: a
 * session of ONNX Runtime, a decoder with its key/value cache. One worker hosts several programs
 * and runs one call at a time, because a native execution blocks its JavaScript thread.
 */
export interface Program extends AsyncDisposable {
  /** What the main process learns when the program has started; structured-cloneable. */
  readonly info: unknown;
  call(method: string, payload: unknown): Reply | Promise<Reply>;
}

/** A structured-cloneable answer; buffers named in `transfer` move instead of being copied. */
export interface Reply {
  readonly value: unknown;
  readonly transfer?: readonly ArrayBuffer[];
}

export interface ProgramHost {
  /** Intra-op threads this worker may use. */
  readonly threads: number;
  /**
   * Runs one piece of native work at a time in this worker. What runs has the threads for itself, and its time is its own.
   */
  exclusive<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Sends a message to the listeners of the program's handle in the main process. */
  emit(message: unknown, transfer?: readonly ArrayBuffer[]): void;
}

/** The module `<program>.ts` of a program exports its start under this type. */
export type StartProgram<Init> = (init: Init, host: ProgramHost) => Promise<Program>;
