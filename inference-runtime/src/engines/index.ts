export type {
  Engine,
  EngineModel,
  Execution,
  LoadOptions,
  ModelFile,
  Signature,
} from './engine.ts';
export { onnxEngine } from './onnx/onnx-engine.ts';
export type { Program, ProgramHost, Reply, StartProgram } from './program.ts';
export type { OpenProgram, ProgramHandle } from './worker-host.ts';
export { startWorkerPool, type WorkerPool, type WorkerPoolOptions } from './worker-pool.ts';
