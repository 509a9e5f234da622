import type { Tensor } from '@opea/schema/runtime';

/** Rows (indices of the first dimension) of a tensor that hold NaN or an infinity; a scalar is one row. */
export function nonFiniteRows({ datatype, shape, data }: Tensor): readonly number[] {
  const broken = brokenBy(datatype);
  if (broken === undefined || isStrings(data)) return [];
  const rows = Math.max(1, shape[0] ?? 1);
  const width = data.length / rows;
  const found: number[] = [];
  for (let row = 0; row < rows; row++) {
    const end = (row + 1) * width;
    for (let at = row * width; at < end; at++) {
      if (broken(data[at] as number)) {
        found.push(row);
        break;
      }
    }
  }
  return found;
}

/** How an element of a floating-point type shows that it is no finite number. */
function brokenBy(datatype: Tensor['datatype']): ((value: number) => boolean) | undefined {
  if (datatype === 'FP32' || datatype === 'FP64') return (value) => !Number.isFinite(value);
  // IEEE 754 binary16: an exponent of all ones is NaN or an infinity.
  if (datatype === 'FP16') return (bits) => (bits & 0x7c00) === 0x7c00;
  return undefined;
}

function isStrings(data: Tensor['data']): data is readonly string[] {
  return Array.isArray(data);
}
