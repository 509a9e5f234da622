import type { OnnxAttribute, OnnxGraph, OnnxNode, OnnxTensor, OnnxValue } from './onnx-model.ts';
import { encodeModel, onnxType } from './onnx-model.ts';

export type AttributeValue =
  | string
  | number
  | readonly number[]
  | { readonly float: number }
  | { readonly tensor: OnnxTensor };

export interface NodeOptions {
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  /** Operator domain; default: the ONNX standard's. `com.microsoft` holds ONNX Runtime's own. */
  readonly domain?: string;
}

export interface GraphBuilder {
  /** A constant of 32-bit floats; returns its name. */
  floats(name: string, dims: readonly number[], values: Float32Array): string;
  /** A constant of 64-bit integers; returns its name. */
  integers(name: string, values: readonly number[], dims?: readonly number[]): string;
  /** A constant given as a whole tensor; returns its name. */
  constant(tensor: OnnxTensor): string;
  /** Declares an input; a string dimension is symbolic. */
  input(name: string, type: keyof typeof onnxType, shape: readonly (number | string)[]): string;
  output(name: string, type: keyof typeof onnxType, shape: readonly (number | string)[]): string;
  /** Adds an operator with one output, named for it; returns that name. */
  node(opType: string, inputs: readonly string[], output: string, options?: NodeOptions): string;
  /** Adds an operator with several outputs. */
  nodes(
    opType: string,
    inputs: readonly string[],
    outputs: readonly string[],
    options?: NodeOptions,
  ): readonly string[];
  /** Serialises the graph as an `.onnx` file. */
  build(metadata?: Readonly<Record<string, string>>): Uint8Array;
}

/** Writes ONNX models by hand: for tests, for adaptations and for small utility graphs. */
export function graphBuilder(graphName: string, opset = 17): GraphBuilder {
  const graph: OnnxGraph = {
    name: graphName,
    node: [],
    initializer: [],
    input: [],
    output: [],
    valueInfo: [],
  };

  const nodes: GraphBuilder['nodes'] = (opType, inputs, outputs, options = {}) => {
    graph.node.push(operator(opType, inputs, outputs, options));
    return outputs;
  };

  const constant = (tensor: OnnxTensor) => {
    graph.initializer.push(tensor);
    return tensor.name;
  };

  return {
    constant,
    floats: (name, dims, values) => constant(floatTensor(name, dims, values)),
    integers: (name, values, dims = [values.length]) => constant(integerTensor(name, dims, values)),
    input(name, type, shape) {
      graph.input.push(valueInfo(name, type, shape));
      return name;
    },
    output(name, type, shape) {
      graph.output.push(valueInfo(name, type, shape));
      return name;
    },
    nodes,
    node(opType, inputs, output, options) {
      nodes(opType, inputs, [output], options);
      return output;
    },
    build: (metadata = {}) =>
      encodeModel({
        irVersion: 8,
        producerName: 'opea-graph',
        graph,
        opsetImport: [
          { domain: '', version: opset },
          { domain: 'com.microsoft', version: 1 },
        ],
        metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
      }),
  };
}

/** One operator of a graph. */
export function operator(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  { attributes = {}, domain = '' }: NodeOptions = {},
): OnnxNode {
  return {
    name: outputs.join('+'),
    opType,
    domain,
    input: [...inputs],
    output: [...outputs],
    attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
  };
}

/** A tensor of 32-bit floats, little-endian as ONNX wants it. */
export function floatTensor(
  name: string,
  dims: readonly number[],
  values: Float32Array,
): OnnxTensor {
  return { name, dims: [...dims], dataType: onnxType.float32, rawData: bytesOf(values) };
}

/** A tensor of 64-bit integers. */
export function integerTensor(
  name: string,
  dims: readonly number[],
  values: readonly number[],
): OnnxTensor {
  const integers = BigInt64Array.from(values, (value) => BigInt(value));
  return { name, dims: [...dims], dataType: onnxType.int64, rawData: bytesOf(integers) };
}

/** Declares the type and shape of a graph's input or output. */
export function valueInfo(
  name: string,
  type: keyof typeof onnxType,
  shape: readonly (number | string)[],
): OnnxValue {
  const dim = shape.map((size) =>
    typeof size === 'string' ? { dimParam: size } : { dimValue: size },
  );
  return { name, type: { tensorType: { elemType: onnxType[type], shape: { dim } } } };
}

function attribute(name: string, value: AttributeValue): OnnxAttribute {
  if (typeof value === 'string') return { name, type: 3, s: new TextEncoder().encode(value) };
  if (typeof value === 'number') return { name, type: 2, i: value };
  if (isList(value)) return { name, type: 7, ints: [...value] };
  if ('float' in value) return { name, type: 1, f: value.float };
  return { name, type: 4, t: value.tensor };
}

function isList(value: object): value is readonly number[] {
  return Array.isArray(value);
}

function bytesOf(values: Float32Array | BigInt64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
