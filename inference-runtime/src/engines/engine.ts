import type { Tensor, TensorSpec } from '@opea/schema/runtime';

/** A model version's files on this node, each verified against its digest when it is loaded. */
export interface ModelFile {
  readonly name: string;
  /** `sha256:<hex>` */
  readonly digest: string;
  readonly size: number;
  readonly path: string;
}

export interface Signature {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

export interface LoadOptions {
  /** A name for logs and metrics, for example `digits@3`. */
  readonly name: string;
  readonly files: readonly ModelFile[];
  /** Executions that may run side by side, each in a worker of its own. Default 1. */
  readonly instances?: number;
  /** `process` survives an abort or an out-of-memory kill at the price of copies. Default `thread`. */
  readonly isolation?: 'thread' | 'process';
  readonly signal: AbortSignal;
}

/** One execution of a whole batch. */
export interface Execution {
  readonly outputs: readonly Tensor[];
  /** Time inside the native runtime, milliseconds. */
  readonly computeMs: number;
  /** Rows (indices of the first dimension) whose outputs hold NaN or an infinity. */
  readonly nonFiniteRows: readonly number[];
}

export interface EngineModel extends AsyncDisposable {
  readonly signature: Signature;
  /** Resident size, bytes, as far as it can be told. */
  readonly bytes: number;
  /** Executions that may run side by side. */
  readonly lanes: number;
  /**
   * Runs one batch. Takes the tensors' buffers over: they are moved into the worker.
   * Rejects with WORKER_CRASHED when the worker dies under it, EXECUTION_FAILED when the model refuses.
   */
  run(inputs: readonly Tensor[]): Promise<Execution>;
}

/** Something that executes models: ONNX Runtime here, a remote server there. */
export interface Engine extends AsyncDisposable {
  readonly name: string;
  load(options: LoadOptions): Promise<EngineModel>;
}
