import { defineError } from '../errors/index.ts';

/** An input or output of an ONNX model, in the datatypes of the Open Inference Protocol v2. */
export interface OnnxTensorSpec {
  readonly name: string;
  readonly datatype: OnnxDatatype;
  /** A number, or the name of a free dimension; a nameless one is called `?0`, `?1` … by its place. */
  readonly shape: readonly (number | string)[];
}

export type OnnxDatatype =
  | 'BOOL'
  | 'INT8'
  | 'INT16'
  | 'INT32'
  | 'INT64'
  | 'UINT8'
  | 'UINT16'
  | 'UINT32'
  | 'UINT64'
  | 'FP16'
  | 'FP32'
  | 'FP64'
  | 'BYTES';

/** What an ONNX file says about itself. */
export interface OnnxSignature {
  /** Inputs without a default value. */
  readonly inputs: readonly OnnxTensorSpec[];
  readonly outputs: readonly OnnxTensorSpec[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly opsets: readonly { readonly domain: string; readonly version: number }[];
  /** `DECODER` when the model follows the runtime's cache layout `decoder/1`. */
  readonly kind: 'TENSOR' | 'DECODER';
}

export const notOnnx = defineError(
  'NOT_ONNX',
  422,
  ({ reason }: { reason: string }) => `The file is no ONNX model that can be served: ${reason}.`,
);
