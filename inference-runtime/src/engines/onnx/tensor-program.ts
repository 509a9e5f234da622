import type { Tensor, TensorSpec } from '@opea/schema/runtime';
import { type InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import type { Execution } from '../engine.ts';
import type { Program, Reply, StartProgram } from '../program.ts';
import { allocate, datatypeOf, ortType } from './datatypes.ts';
import { nonFiniteRows } from './finiteness.ts';
import { openSession, type SessionFile } from './open-session.ts';

export interface TensorProgramInfo {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly bytes: number;
}

/** Holds one ONNX Runtime session in a worker and answers `run` with whole batches. */
export const startTensorProgram: StartProgram<SessionFile> = async (file, host) => {
  const { session, bytes } = await openSession(file, host.threads);
  const inputs = session.inputMetadata.map(specOf);
  const outputs = session.outputMetadata.map(specOf);
  await warmUp(session, inputs);
  return {
    info: { inputs, outputs, bytes } satisfies TensorProgramInfo,
    call: (_method, payload) => host.exclusive(() => run(session, payload as readonly Tensor[])),
    [Symbol.asyncDispose]: () => host.exclusive(() => session.release()),
  } satisfies Program;
};

async function run(session: InferenceSession, inputs: readonly Tensor[]): Promise<Reply> {
  const feeds = Object.fromEntries(inputs.map((tensor) => [tensor.name, toOrt(tensor)]));
  const startedAt = performance.now();
  const results = await session.run(feeds);
  const computeMs = performance.now() - startedAt;
  const outputs = session.outputNames.map((name) => {
    const tensor = results[name];
    if (tensor === undefined) throw new Error(`The model gave no output ${name}`);
    return fromOrt(name, tensor);
  });
  const bad = new Set(outputs.flatMap((output) => nonFiniteRows(output)));
  const value: Execution = { outputs, computeMs, nonFiniteRows: [...bad] };
  return { value, transfer: outputs.flatMap(({ data }) => (isOwned(data) ? [data.buffer] : [])) };
}

function toOrt({ datatype, shape, data }: Tensor): OrtTensor {
  return new OrtTensor(ortType(datatype), data, shape);
}

/** Copied out of ONNX Runtime's own memory, which cannot move to another thread. */
function fromOrt(name: string, { type, dims, data }: OrtTensor): Tensor {
  const copy = Array.isArray(data) ? data : (data as Float32Array).slice();
  return { name, datatype: datatypeOf(type), shape: dims, data: copy };
}

function isOwned(data: Tensor['data']): data is Float32Array<ArrayBuffer> {
  return ArrayBuffer.isView(data) && data.buffer instanceof ArrayBuffer;
}

function specOf(metadata: InferenceSession.ValueMetadata): TensorSpec {
  if (!metadata.isTensor) throw new Error(`${metadata.name} is no tensor`);
  return { name: metadata.name, datatype: datatypeOf(metadata.type), shape: metadata.shape };
}

/** The first run of a session allocates and compiles; a model with free inner dimensions may refuse ones. */
async function warmUp(session: InferenceSession, inputs: readonly TensorSpec[]): Promise<void> {
  const freeInner = inputs.some(({ shape }) =>
    shape.slice(1).some((size) => typeof size !== 'number'),
  );
  try {
    await run(
      session,
      inputs.map(({ name, datatype, shape: spec }) => {
        const shape = spec.map((size) => (typeof size === 'number' ? size : 1));
        const length = shape.reduce((product, size) => product * size, 1);
        const data =
          datatype === 'BYTES' ? Array<string>(length).fill('') : allocate(datatype, length);
        return { name, datatype, shape, data };
      }),
    );
  } catch (reason) {
    if (!freeInner) throw reason;
  }
}
