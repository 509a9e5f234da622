import { type GraphBuilder, onnxType } from '../../onnx/index.ts';

export type Dims = readonly [outputs: number, inputs: number];

export interface LinearOptions {
  readonly x: string;
  readonly name: string;
  readonly dims: Dims;
  /** The weights, [outputs, inputs]. */
  readonly rows: Float32Array;
  readonly output: string;
}

/** Multiplies [..., inputs] by stored weights; returns the name of the product. */
export type Linear = (options: LinearOptions) => string;

/** `int8`: symmetric bytes in blocks of 32 through MatMulNBits, which quantises each row of the activations by itself. */
export function linearLayer(graph: GraphBuilder, weights: 'fp32' | 'int8'): Linear {
  if (weights === 'fp32')
    return ({ x, name, dims: [outputs, inputs], rows, output }) => {
      graph.floats(name, [inputs, outputs], transposed(rows, outputs, inputs));
      return graph.node('MatMul', [x, name], output);
    };

  return ({ x, name, dims: [outputs, inputs], rows, output }) => {
    const { bytes, scales } = quantised(rows);
    const blocks = inputs / blockSize;
    const dims = [outputs, blocks, blockSize];
    graph.constant({ name, dims, dataType: onnxType.uint8, rawData: bytes });
    const stored = graph.floats(`${name}.scales`, [outputs * blocks], scales);
    return packedLinear(graph, { x, bytes: name, scales: stored, dims: [outputs, inputs], output });
  };
}

export interface PackedLinearOptions extends Omit<LinearOptions, 'name' | 'rows'> {
  /** Weights [outputs, blocks, 32] and scales [outputs, blocks] that are stored already. */
  readonly bytes: string;
  readonly scales: string;
}

/** Multiplies by weights that are already bytes around 128. */
export function packedLinear(
  graph: GraphBuilder,
  { x, bytes, scales, dims: [outputs, inputs], output }: PackedLinearOptions,
): string {
  const sizes = { N: outputs, K: inputs, bits: 8, block_size: blockSize, accuracy_level: 4 };
  return graph.node('MatMulNBits', [x, bytes, scales], output, {
    domain: 'com.microsoft',
    attributes: sizes,
  });
}

export const blockSize = 32;

/** Symmetric bytes around 128 with one scale for each block. */
export function quantised(values: Float32Array): { bytes: Uint8Array; scales: Float32Array } {
  const bytes = new Uint8Array(values.length);
  const scales = new Float32Array(values.length / blockSize);
  for (let at = 0; at < scales.length; at++) {
    const start = at * blockSize;
    let max = 1e-12;
    for (let index = start; index < start + blockSize; index++)
      max = Math.max(max, Math.abs(values[index] ?? 0));
    const scale = max / 127;
    scales[at] = scale;
    for (let index = start; index < start + blockSize; index++)
      bytes[index] = Math.round((values[index] ?? 0) / scale) + 128;
  }
  return { bytes, scales };
}

function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      result[column * rows + row] = values[row * columns + column] ?? 0;
  return result;
}
