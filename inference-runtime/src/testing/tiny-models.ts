import { graphBuilder } from '../onnx/index.ts';

/** Pseudo-random weights that are the same on every machine (a 32-bit linear congruential generator). */
export function seededFloats(length: number, { seed = 1, scale = 1 } = {}): Float32Array {
  const values = new Float32Array(length);
  let state = seed >>> 0;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    values[index] = (state / 2 ** 32 - 0.5) * 2 * scale;
  }
  return values;
}

/** `y = 2x + 1` over rows of `width` numbers. */
export function affineModel({ width = 4, scale = 2 } = {}): Uint8Array {
  const graph = graphBuilder('affine');
  graph.input('x', 'float32', ['batch', width]);
  graph.floats('two', [1], Float32Array.of(scale));
  graph.floats('one', [1], Float32Array.of(1));
  graph.node('Mul', ['x', 'two'], 'doubled');
  graph.node('Add', ['doubled', 'one'], 'y');
  graph.output('y', 'float32', ['batch', width]);
  return graph.build();
}

/** A multilayer perceptron with random weights: `layers` of `width` × `width`; 4 × 2,048² is 67 MB. */
export function perceptronModel({ layers = 2, width = 16, seed = 7 } = {}): Uint8Array {
  const graph = graphBuilder('perceptron');
  graph.input('x', 'float32', ['batch', width]);
  let x = 'x';
  for (let layer = 0; layer < layers; layer++) {
    const weights = seededFloats(width * width, {
      seed: seed + layer,
      scale: 1 / Math.sqrt(width),
    });
    graph.floats(`w${layer}`, [width, width], weights);
    graph.node('MatMul', [x, `w${layer}`], `h${layer}`);
    x = graph.node('Tanh', [`h${layer}`], layer === layers - 1 ? 'y' : `x${layer + 1}`);
  }
  graph.output('y', 'float32', ['batch', width]);
  return graph.build();
}

/** Looks rows up in a table of 8: an id outside makes ONNX Runtime fail the whole execution. */
export function lookupModel(): Uint8Array {
  const graph = graphBuilder('lookup');
  graph.input('ids', 'int64', ['batch', 1]);
  graph.floats('table', [8, 2], seededFloats(16));
  graph.node('Gather', ['table', 'ids'], 'row');
  graph.output('row', 'float32', ['batch', 1, 2]);
  return graph.build();
}

/** `y = log x`: NaN for a negative row, with a success status. */
export function logarithmModel(): Uint8Array {
  const graph = graphBuilder('logarithm');
  graph.input('x', 'float32', ['batch', 1]);
  graph.node('Log', ['x'], 'y');
  graph.output('y', 'float32', ['batch', 1]);
  return graph.build();
}

/** `sum = a + b` where both have a free length, and the rows of a request must agree on it. */
export function raggedModel(): Uint8Array {
  const graph = graphBuilder('ragged');
  graph.input('a', 'float32', ['batch', 'length']);
  graph.input('b', 'float32', ['batch', 'length']);
  graph.node('Add', ['a', 'b'], 'sum');
  graph.output('sum', 'float32', ['batch', 'length']);
  return graph.build();
}

/** Takes exactly one row: requests cannot share an execution. */
export function singleRowModel(): Uint8Array {
  const graph = graphBuilder('single');
  graph.input('x', 'float32', [1, 2]);
  graph.node('Neg', ['x'], 'y');
  graph.output('y', 'float32', [1, 2]);
  return graph.build();
}
