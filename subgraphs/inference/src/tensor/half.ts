/** IEEE 754 binary16, which this platform's oldest runtime has no typed array for. */

const buffer = new DataView(new ArrayBuffer(4));

/** The nearest half-precision number's bits, ties to even. */
export function toHalfBits(value: number): number {
  buffer.setFloat32(0, value);
  const bits = buffer.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 112;
  const fraction = bits & 0x7fffff;
  if (exponent >= 31) return sign | 0x7c00 | (Number.isNaN(value) ? 0x200 : 0);
  if (exponent <= 0) return sign | subnormal(fraction | 0x800000, 14 - exponent);
  return sign | roundedShift((exponent << 23) | fraction, 13);
}

/** The number that these half-precision bits stand for. */
export function fromHalfBits(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function subnormal(significand: number, shift: number): number {
  return shift > 24 ? 0 : roundedShift(significand, shift);
}

function roundedShift(value: number, shift: number): number {
  const kept = value >>> shift;
  const lost = value & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return lost > half || (lost === half && kept & 1) ? kept + 1 : kept;
}
