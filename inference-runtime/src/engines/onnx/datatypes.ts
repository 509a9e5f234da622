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

type NumericData = Exclude<TensorData, readonly string[]>;

interface ArrayType {
  new (length: number): NumericData;
}

/** Which typed array holds a datatype; BOOL are bytes, FP16 its bits. */
const arrayTypes: Readonly<Record<Exclude<Datatype, 'BYTES'>, ArrayType>> = {
  BOOL: Uint8Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  FP16: Uint16Array,
  FP32: Float32Array,
  FP64: Float64Array,
};

/** An empty row-major buffer of `length` elements for a datatype. */
export function allocate(datatype: Datatype, length: number): NumericData {
  if (datatype === 'BYTES') throw new Error('Strings have no buffer');
  return new arrayTypes[datatype](length);
}

/** Whether data is of the kind that its declared datatype asks for. */
export function holds(datatype: Datatype, data: TensorData): boolean {
  if (datatype === 'BYTES')
    return Array.isArray(data) && data.every((item) => typeof item === 'string');
  return data instanceof arrayTypes[datatype];
}
