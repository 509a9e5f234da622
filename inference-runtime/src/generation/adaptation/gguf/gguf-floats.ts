import type { GgufTensor } from './read-gguf.ts';

const block = 32;

interface Storage {
  /** Bytes of 32 values. */
  readonly bytes: number;
  readonly read: (view: DataView, at: number, into: Float32Array, start: number) => void;
}

/** ggml's storage types by number: plain floats, and blocks of 32 with a scale (and a minimum). */
const storages: Readonly<Record<number, Storage>> = {
  0: plain(4, (view, at) => view.getFloat32(at, true)),
  1: plain(2, half),
  2: {
    bytes: 18,
    read(view, at, into, start) {
      const scale = half(view, at);
      nibbles(view, at + 2, { into, start, scale, minimum: -8 * scale });
    },
  },
  3: {
    bytes: 20,
    read: (view, at, into, start) =>
      nibbles(view, at + 4, {
        into,
        start,
        scale: half(view, at),
        minimum: half(view, at + 2),
      }),
  },
  8: {
    bytes: 34,
    read(view, at, into, start) {
      const scale = half(view, at);
      for (let index = 0; index < block; index++)
        into[start + index] = scale * view.getInt8(at + 2 + index);
    },
  },
};

/** A tensor's values as 32-bit floats. Throws when its storage type is not understood. */
export function ggufFloats({ dims, type, bytes }: GgufTensor): Float32Array {
  const storage = storages[type];
  if (storage === undefined)
    throw new Error(`GGUF storage type ${type} is not supported; use F32, F16, Q4_0, Q4_1 or Q8_0`);
  const size = dims.reduce((product, dim) => product * dim, 1);
  if (size % block !== 0 || (size / block) * storage.bytes > bytes.byteLength)
    throw new Error('A weight of the GGUF file is not whole');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float32Array(size);
  for (let index = 0; index < size / block; index++)
    storage.read(view, index * storage.bytes, values, index * block);
  return values;
}

function plain(bytes: number, read: (view: DataView, at: number) => number): Storage {
  return {
    bytes: bytes * block,
    read(view, at, into, start) {
      for (let index = 0; index < block; index++)
        into[start + index] = read(view, at + index * bytes);
    },
  };
}

interface NibbleBlock {
  readonly into: Float32Array;
  readonly start: number;
  readonly scale: number;
  readonly minimum: number;
}

/** The low halves of 16 bytes are the first 16 values, the high halves the others; each times a scale, plus a minimum. */
function nibbles(view: DataView, at: number, { into, start, scale, minimum }: NibbleBlock): void {
  for (let index = 0; index < block / 2; index++) {
    const byte = view.getUint8(at + index);
    into[start + index] = scale * (byte & 15) + minimum;
    into[start + index + block / 2] = scale * (byte >> 4) + minimum;
  }
}

/** A 16-bit float (IEEE 754 binary16). */
function half(view: DataView, at: number): number {
  const bits = view.getUint16(at, true);
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
