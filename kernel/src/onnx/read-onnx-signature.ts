import { closeSync, openSync, readFileSync } from 'node:fs';
import protobuf from 'protobufjs/minimal.js';
import {
  notOnnx,
  type OnnxDatatype,
  type OnnxSignature,
  type OnnxTensorSpec,
} from './onnx-signature.ts';

/**
 * Reads inputs, outputs and metadata of an ONNX file without decoding its weights (field numbers of `onnx.proto`).
 * Throws NOT_ONNX for bytes that are no model, that have nothing to run, or that point at files outside themselves.
 */
export function readOnnxSignature(source: Uint8Array | string): OnnxSignature {
  const bytes = typeof source === 'string' ? readFileSync(source) : source;
  if (bytes.byteLength === 0) throw notOnnx({ reason: 'it is empty' });
  try {
    return signatureOf(readModel(protobuf.Reader.create(bytes)));
  } catch (reason) {
    if (reason instanceof RangeError || reason instanceof TypeError || isWireError(reason))
      throw notOnnx({ reason: 'it is damaged or of another format' }, reason);
    throw reason;
  }
}
