import type { Tensor, TensorSpec } from '@opea/schema/runtime';
import { allocate } from '../engines/onnx/datatypes.ts';
import { isFree } from './batch-axis.ts';

/** Joins the rows of several requests, one tensor per input, in buffers of their own. Requests must have equal keys. */
export function joinRows(
  specs: readonly TensorSpec[],
  requests: readonly (readonly Tensor[])[],
): readonly Tensor[] {
  return specs.map(({ name, datatype }, index) => {
    const parts = requests.flatMap((tensors) => tensors[index] ?? []);
    const rows = parts.reduce((sum, { shape }) => sum + (shape[0] ?? 1), 0);
    const inner = parts[0]?.shape.slice(1) ?? [];
    const shape = parts[0]?.shape.length === 0 ? [] : [rows, ...inner];
    if (datatype === 'BYTES')
      return { name, datatype, shape, data: parts.flatMap(({ data }) => strings(data)) };
    const length = parts.reduce((sum, { data }) => sum + data.length, 0);
    const data = allocate(datatype, length);
    let offset = 0;
    for (const part of parts) {
      // The door has checked that every part holds the same kind of numbers.
      data.set(part.data as never, offset);
      offset += part.data.length;
    }
    return { name, datatype, shape, data };
  });
}

/** The part of a batch's outputs that belongs to one request: `rows` rows from row `from` on, copied. */
export function rowsOf(outputs: readonly Tensor[], from: number, rows: number): readonly Tensor[] {
  return outputs.map(({ name, datatype, shape, data }) => {
    const width = data.length / Math.max(1, shape[0] ?? 1);
    const part = data.slice(from * width, (from + rows) * width);
    return { name, datatype, shape: [rows, ...shape.slice(1)], data: part };
  });
}

/** Inputs that hold nothing but zeros: free dimensions are 1, the first one `rows`. */
export function zeros(specs: readonly TensorSpec[], rows: number): readonly Tensor[] {
  return specs.map(({ name, datatype, shape: spec }) => {
    const shape = spec.map((size, axis) => {
      if (!isFree(size)) return Number(size);
      return axis === 0 ? rows : 1;
    });
    const length = shape.reduce((product, size) => product * size, 1);
    const data = datatype === 'BYTES' ? Array<string>(length).fill('') : allocate(datatype, length);
    return { name, datatype, shape, data };
  });
}

function strings(data: Tensor['data']): readonly string[] {
  return Array.isArray(data) ? (data as readonly string[]) : [];
}
