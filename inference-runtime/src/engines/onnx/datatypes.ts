import type { Datatype, TensorData } from '@opea/schema/runtime';

/** ONNX Runtime's name of an element type, and the platform's (Open Inference Protocol v2). */
const pairs = [
  ['bool', 'BOOL'],
  ['int8', 'INT8'],
  ['int16', 'INT16'],
  ['int32', 'INT32'],
  ['int64', 'INT64'],
  ['uint8', 'UINT8'],
  ['uint16', 'UINT16'],
  ['uint32', 'UINT32'],
  ['uint64', 'UINT64'],
  ['float16', 'FP16'],
  ['float32', 'FP32'],
  ['float64', 'FP64'],
  ['string', 'BYTES'],
] as const;

export type OrtType = (typeof pairs)[number][0];

const toOrt = new Map<Datatype, OrtType>(pairs.map(([ort, ours]) => [ours, ort]));
const fromOrt = new Map<string, Datatype>(pairs.map(([ort, ours]) => [ort, ours]));

export function ortType(datatype: Datatype): OrtType {
  const type = toOrt.get(datatype);
  if (type === undefined) throw new Error(`No ONNX element type for ${datatype}`);
  return type;
}

export function datatypeOf(type: string): Datatype {
  const datatype = fromOrt.get(type);
  if (datatype === undefined) throw new Error(`The element type ${type} is not supported`);
  return datatype;
}

/** An empty row-major buffer of `length` elements for a datatype. */
export function allocate(
  datatype: Datatype,
  length: number,
): Exclude<TensorData, readonly string[]> {
  switch (datatype) {
    case 'FP32':
      return new Float32Array(length);
    case 'FP64':
      return new Float64Array(length);
    case 'INT8':
      return new Int8Array(length);
    case 'BOOL':
    case 'UINT8':
      return new Uint8Array(length);
    case 'INT16':
      return new Int16Array(length);
    case 'FP16':
    case 'UINT16':
      return new Uint16Array(length);
    case 'INT32':
      return new Int32Array(length);
    case 'UINT32':
      return new Uint32Array(length);
    case 'INT64':
      return new BigInt64Array(length);
    case 'UINT64':
      return new BigUint64Array(length);
    case 'BYTES':
      throw new Error('Strings have no buffer');
  }
}
