export { notOnnx, type OnnxSignature, type OnnxTensorSpec } from './onnx-signature.ts';
export { readOnnxSignature } from './read-onnx-signature.ts';
