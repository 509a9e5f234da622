import type { Tensor } from '@opea/schema/runtime';
import { modelRefused } from '../../errors.ts';
import type { Engine, EngineModel, Execution } from '../engine.ts';
import type { WorkerPool } from '../worker-pool.ts';
import type { SessionFile } from './open-session.ts';
import type { TensorProgramInfo } from './tensor-program.ts';

/** Executes ONNX models on the CPU, in the workers of a pool. This process never loads ONNX Runtime. */
export function onnxEngine(pool: WorkerPool): Engine {
  return {
    name: 'onnx',
    async load({ name, files, instances = 1, isolation = 'thread', signal }): Promise<EngineModel> {
      signal.throwIfAborted();
      const file = files.find((candidate) => candidate.name === 'model.onnx');
      if (file === undefined) throw modelRefused({ model: name, reason: 'model.onnx is missing' });
      const init: SessionFile = { name, path: file.path, digest: file.digest };
      const handles = await pool.openMany<TensorProgramInfo>(
        { program: 'tensor', name, init },
        instances,
        { isolation },
      );
      const [first] = handles;
      if (first === undefined) throw new Error('The pool has no workers');
      const lanes = handles.map((handle) => ({ handle, running: 0 }));

      return {
        signature: { inputs: first.info.inputs, outputs: first.info.outputs },
        bytes: first.info.bytes * handles.length,
        lanes: handles.length,
        async run(inputs) {
          const lane = lanes.reduce((best, other) => (other.running < best.running ? other : best));
          lane.running += 1;
          try {
            return await lane.handle.call<Execution>('run', inputs, {
              transfer: buffersOf(inputs),
            });
          } finally {
            lane.running -= 1;
          }
        },
        async [Symbol.asyncDispose]() {
          await Promise.all(handles.map((handle) => handle[Symbol.asyncDispose]()));
        },
      };
    },
    async [Symbol.asyncDispose]() {},
  };
}

function buffersOf(inputs: readonly Tensor[]): readonly ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const { data } of inputs)
    if (ArrayBuffer.isView(data) && data.buffer instanceof ArrayBuffer) buffers.add(data.buffer);
  return [...buffers];
}
