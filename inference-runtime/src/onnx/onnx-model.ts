import protobuf from 'protobufjs';
import { onnxSchema } from './onnx-schema.ts';

/** Element types of ONNX tensors, by the numbers of `TensorProto.DataType`. */
export const onnxType = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
} as const;

export interface OnnxTensor {
  name: string;
  dims: number[];
  dataType: number;
  rawData?: Uint8Array;
  floatData?: number[];
  int32Data?: number[];
  int64Data?: number[];
  externalData?: { key: string; value: string }[];
  dataLocation?: number;
}

export interface OnnxAttribute {
  name: string;
  /** 1 float, 2 int, 3 string, 4 tensor, 5 graph, 6 floats, 7 ints. */
  type: number;
  f?: number;
  i?: number;
  s?: Uint8Array;
  t?: OnnxTensor;
  g?: OnnxGraph;
  floats?: number[];
  ints?: number[];
}

export interface OnnxNode {
  name: string;
  opType: string;
  domain: string;
  input: string[];
  output: string[];
  attribute: OnnxAttribute[];
}

export interface OnnxDimension {
  dimValue?: number;
  dimParam?: string;
}

export interface OnnxValue {
  name: string;
  type: { tensorType: { elemType: number; shape: { dim: OnnxDimension[] } } };
}

export interface OnnxGraph {
  name: string;
  node: OnnxNode[];
  initializer: OnnxTensor[];
  input: OnnxValue[];
  output: OnnxValue[];
  valueInfo: OnnxValue[];
}

export interface OnnxModel {
  irVersion: number;
  producerName: string;
  graph: OnnxGraph;
  opsetImport: { domain: string; version: number }[];
  metadataProps: { key: string; value: string }[];
}

const modelType = protobuf.Root.fromJSON(onnxSchema).lookupType('ModelProto');

/** Serialises a model as an `.onnx` file. */
export function encodeModel(model: OnnxModel): Uint8Array {
  return modelType.encode(modelType.fromObject(model)).finish();
}

/**
 * Adds operators and outputs to an `.onnx` file without parsing it: in protobuf, a message that is written twice is merged, its
 * lists appended. The operators must come after what they read.
 */
export function appendToModel(
  model: Uint8Array,
  graph: Partial<Pick<OnnxGraph, 'node' | 'output' | 'initializer'>>,
): Uint8Array {
  const added = modelType.encode(modelType.fromObject({ graph })).finish();
  const merged = new Uint8Array(model.length + added.length);
  merged.set(model);
  merged.set(added, model.length);
  return merged;
}

/** Parses an `.onnx` file. Throws when the bytes are no ONNX model. */
export function decodeModel(bytes: Uint8Array): OnnxModel {
  const parsed = modelType.toObject(modelType.decode(bytes), {
    longs: Number,
    arrays: true,
    defaults: false,
  }) as Partial<OnnxModel>;
  if (parsed.graph === undefined) throw new Error('The file holds no ONNX graph');
  for (const node of parsed.graph.node) node.domain ??= '';
  return {
    irVersion: parsed.irVersion ?? 0,
    producerName: parsed.producerName ?? '',
    graph: parsed.graph,
    opsetImport: parsed.opsetImport ?? [],
    metadataProps: parsed.metadataProps ?? [],
  };
}
