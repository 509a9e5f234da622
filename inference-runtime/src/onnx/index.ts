export type { AttributeValue, GraphBuilder, NodeOptions } from './graph-builder.ts';
export { floatTensor, graphBuilder, integerTensor, operator, valueInfo } from './graph-builder.ts';
export type {
  OnnxAttribute,
  OnnxDimension,
  OnnxGraph,
  OnnxModel,
  OnnxNode,
  OnnxTensor,
  OnnxValue,
} from './onnx-model.ts';
export { appendToModel, decodeModel, encodeModel, onnxType } from './onnx-model.ts';
export { readMetadata } from './read-metadata.ts';
