import type { Datatype, Tensor, TensorData } from '@opea/schema/runtime';
import { invalidInput } from '../errors.ts';
import { fromHalfBits, toHalfBits } from './half.ts';

/** A tensor as GraphQL carries it in: flat values, or little-endian bytes in base64. */
export interface TensorInput {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data?: unknown;
  readonly base64?: string | null | undefined;
}

/** Reads a tensor, or names the field that is wrong (`INVALID_INPUT`). */
export function decodeTensor(input: TensorInput): Tensor {
  const { name, datatype, shape } = input;
  const size = elementCount(name, shape);
  const hasData = input.data !== undefined && input.data !== null;
  const hasBytes = input.base64 !== undefined && input.base64 !== null;
  if (hasData === hasBytes) throw wrong(name, 'give exactly one of `data` and `base64`');
  const data = hasBytes
    ? fromBase64(name, datatype, input.base64 ?? '')
    : fromValues(name, datatype, input.data);
  if (data.length !== size)
    throw wrong(name, `the shape holds ${size} values, ${data.length} were given`);
  return { name, datatype, shape, data };
}

/** The values as JSON carries them: 64-bit integers outside the safe range as strings. */
export function tensorValues({ datatype, data }: Tensor): readonly unknown[] {
  const values: readonly (number | bigint | string)[] = [...data];
  if (datatype === 'BOOL') return values.map((value) => value !== 0);
  if (datatype === 'FP16') return values.map((bits) => fromHalfBits(Number(bits)));
  if (datatype === 'FP32') return values.map((value) => shortest(Number(value)));
  return values.map((value) => (typeof value === 'bigint' ? safeNumber(value) : value));
}

/** The values as little-endian bytes in base64, null for strings. */
export function tensorBase64({ data }: Tensor): string | null {
  if (!ArrayBuffer.isView(data)) return null;
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
}

/** Reads back what `tensorBase64` or, for strings, `tensorValues` wrote. */
export function storedTensor(stored: {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly base64: string | null;
  readonly strings?: readonly string[];
}): Tensor {
  const { name, datatype, shape } = stored;
  const data = stored.base64 === null ? stored.strings : fromBase64(name, datatype, stored.base64);
  return { name, datatype, shape, data: data ?? [] };
}

type TypedArray = Exclude<TensorData, readonly string[]>;
type ArrayKind = new (source: ArrayBuffer) => TypedArray;

const arrays: Readonly<Record<Exclude<Datatype, 'BYTES'>, ArrayKind>> = {
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

interface IntegerType {
  readonly lowest: bigint;
  readonly highest: bigint;
  readonly pack: (values: readonly bigint[]) => TypedArray;
}

const integerType = (bits: bigint, signed: boolean, pack: IntegerType['pack']): IntegerType => ({
  lowest: signed ? -(2n ** (bits - 1n)) : 0n,
  highest: 2n ** (signed ? bits - 1n : bits) - 1n,
  pack,
});

const integerTypes = {
  INT8: integerType(8n, true, (values) => Int8Array.from(values, Number)),
  INT16: integerType(16n, true, (values) => Int16Array.from(values, Number)),
  INT32: integerType(32n, true, (values) => Int32Array.from(values, Number)),
  INT64: integerType(64n, true, (values) => BigInt64Array.from(values)),
  UINT8: integerType(8n, false, (values) => Uint8Array.from(values, Number)),
  UINT16: integerType(16n, false, (values) => Uint16Array.from(values, Number)),
  UINT32: integerType(32n, false, (values) => Uint32Array.from(values, Number)),
  UINT64: integerType(64n, false, (values) => BigUint64Array.from(values)),
} as const satisfies Readonly<Partial<Record<Datatype, IntegerType>>>;

function elementCount(name: string, shape: readonly number[]): number {
  if (shape.some((dimension) => dimension < 0)) throw wrong(name, 'a dimension is negative');
  return shape.reduce((size, dimension) => size * dimension, 1);
}

function fromBase64(name: string, datatype: Datatype, text: string): TypedArray {
  if (datatype === 'BYTES') throw wrong(name, 'BYTES come as `data`, a list of strings');
  const bytes = Buffer.from(text, 'base64');
  const kind = arrays[datatype];
  const owned = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  try {
    return new kind(owned);
  } catch {
    throw wrong(name, `${bytes.byteLength} bytes are not a whole number of ${datatype} values`);
  }
}

function fromValues(name: string, datatype: Datatype, data: unknown): TensorData {
  if (!Array.isArray(data)) throw wrong(name, '`data` is a flat list of values');
  const values: readonly unknown[] = data;
  if (datatype === 'BYTES') return values.map((value, at) => stringAt(name, value, at));
  if (datatype === 'BOOL')
    return Uint8Array.from(values, (value, at) => (booleanAt(name, value, at) ? 1 : 0));
  if (datatype === 'FP16')
    return Uint16Array.from(values, (value, at) => toHalfBits(numberAt(name, value, at)));
  if (datatype === 'FP32')
    return Float32Array.from(values, (value, at) => numberAt(name, value, at));
  if (datatype === 'FP64')
    return Float64Array.from(values, (value, at) => numberAt(name, value, at));
  return integers(name, datatype, values);
}

function integers(
  name: string,
  datatype: keyof typeof integerTypes,
  values: readonly unknown[],
): TypedArray {
  const { lowest, highest, pack } = integerTypes[datatype];
  return pack(
    values.map((value, at) => {
      const whole = integerAt(name, value, at);
      if (whole < lowest || whole > highest)
        throw wrong(`${name}[${at}]`, `${whole} is outside ${datatype}`);
      return whole;
    }),
  );
}

function integerAt(name: string, value: unknown, at: number): bigint {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return BigInt(value);
  throw wrong(`${name}[${at}]`, 'is not a whole number');
}

function numberAt(name: string, value: unknown, at: number): number {
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw wrong(`${name}[${at}]`, 'is not a finite number');
  return value;
}

function booleanAt(name: string, value: unknown, at: number): boolean {
  if (typeof value !== 'boolean') throw wrong(`${name}[${at}]`, 'is not a boolean');
  return value;
}

function stringAt(name: string, value: unknown, at: number): string {
  if (typeof value !== 'string') throw wrong(`${name}[${at}]`, 'is not a string');
  return value;
}

/** The shortest decimal that reads back as the same FP32 value: 0.1 and not 0.10000000149011612. */
function shortest(value: number): number {
  if (!Number.isFinite(value)) return value;
  for (let digits = 6; digits < 9; digits += 1) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}

function safeNumber(value: bigint): number | string {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : String(value);
}

const wrong = (field: string, problem: string) => invalidInput({ field, problem });
