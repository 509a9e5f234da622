import { badUserInput } from '@opea/kernel/errors';
import type { Datatype, Tensor, TensorData } from './protocol.ts';

export const tensorFrameType = 'application/vnd.opea.tensors';

/** One message with tensors: a JSON head, and the tensors' bytes behind it, little-endian, unescaped. */
export interface TensorFrame {
  readonly head: unknown;
  readonly tensors: readonly Tensor[];
}

interface WireTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** Where its bytes begin behind the head, and how many they are; strings travel in the head. */
  readonly at?: readonly [number, number];
  readonly strings?: readonly string[];
}

/** `[4 bytes: length of the JSON] [JSON: {head, tensors}] [padding to 8] [bytes of each tensor, each padded to 8]` */
export function encodeTensorFrame({ head, tensors }: TensorFrame): Uint8Array<ArrayBuffer> {
  let length = 0;
  const wire = tensors.map(({ name, datatype, shape, data }): WireTensor => {
    if (!ArrayBuffer.isView(data)) return { name, datatype, shape, strings: data };
    const at = [length, data.byteLength] as const;
    length = aligned(length + data.byteLength);
    return { name, datatype, shape, at };
  });
  const json = new TextEncoder().encode(JSON.stringify({ head, tensors: wire }));
  const start = aligned(4 + json.byteLength);
  const frame = new Uint8Array(start + length);
  new DataView(frame.buffer).setUint32(0, json.byteLength, true);
  frame.set(json, 4);
  for (const [index, { data }] of tensors.entries()) {
    const at = wire[index]?.at;
    if (at && ArrayBuffer.isView(data))
      frame.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start + at[0]);
  }
  return frame;
}

/** Throws BAD_USER_INPUT for anything that is no such frame. The tensors get buffers of their own. */
export function decodeTensorFrame(bytes: Uint8Array): TensorFrame {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < 4) throw malformed('it is too short');
  const length = view.getUint32(0, true);
  if (4 + length > bytes.byteLength) throw malformed('its head is longer than the message');
  const { head, tensors } = parseHead(bytes.subarray(4, 4 + length));
  const start = aligned(4 + length);
  return {
    head,
    tensors: tensors.map(({ name, datatype, shape, at, strings }) => {
      if (at === undefined) return { name, datatype, shape, data: strings ?? [] };
      const [from, size] = at;
      if (from < 0 || size < 0 || start + from + size > bytes.byteLength)
        throw malformed(`the tensor ${JSON.stringify(name)} lies outside the message`);
      // A Buffer's slice would share memory; this copies.
      const copy = new Uint8Array(bytes.subarray(start + from, start + from + size)).buffer;
      return { name, datatype, shape, data: viewAs(datatype, copy) };
    }),
  };
}

function parseHead(json: Uint8Array): { head: unknown; tensors: readonly WireTensor[] } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch (reason) {
    throw malformed('its head is no JSON', reason);
  }
  if (!isRecord(parsed) || !Array.isArray(parsed['tensors'])) throw malformed('it has no tensors');
  return { head: parsed['head'], tensors: parsed['tensors'].map(parseWireTensor) };
}

function parseWireTensor(value: unknown): WireTensor {
  if (!isRecord(value)) throw malformed('a tensor is no object');
  const { name, datatype, shape, at, strings } = value;
  if (typeof name !== 'string' || !isDatatype(datatype) || !isNumbers(shape))
    throw malformed('a tensor lacks its name, datatype or shape');
  if (isNumbers(at) && at.length === 2)
    return { name, datatype, shape, at: [at[0] ?? 0, at[1] ?? 0] };
  if (Array.isArray(strings) && strings.every((item) => typeof item === 'string'))
    return { name, datatype, shape, strings };
  throw malformed('a tensor has no data');
}

const views: Readonly<Record<Exclude<Datatype, 'BYTES'>, (buffer: ArrayBuffer) => TensorData>> = {
  BOOL: (buffer) => new Uint8Array(buffer),
  INT8: (buffer) => new Int8Array(buffer),
  INT16: (buffer) => new Int16Array(buffer),
  INT32: (buffer) => new Int32Array(buffer),
  INT64: (buffer) => new BigInt64Array(buffer),
  UINT8: (buffer) => new Uint8Array(buffer),
  UINT16: (buffer) => new Uint16Array(buffer),
  UINT32: (buffer) => new Uint32Array(buffer),
  UINT64: (buffer) => new BigUint64Array(buffer),
  FP16: (buffer) => new Uint16Array(buffer),
  FP32: (buffer) => new Float32Array(buffer),
  FP64: (buffer) => new Float64Array(buffer),
};

function viewAs(datatype: Datatype, buffer: ArrayBuffer): TensorData {
  if (datatype === 'BYTES') throw malformed('strings travel in the head');
  try {
    return views[datatype](buffer);
  } catch (reason) {
    throw malformed(`its bytes are no whole number of ${datatype}`, reason);
  }
}

function isDatatype(value: unknown): value is Datatype {
  return typeof value === 'string' && (value === 'BYTES' || Object.hasOwn(views, value));
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function aligned(length: number): number {
  return Math.ceil(length / 8) * 8;
}

function malformed(problem: string, cause?: unknown): Error {
  return badUserInput({ reason: `The tensor message cannot be read: ${problem}.` }, cause);
}
