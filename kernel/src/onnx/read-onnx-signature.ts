import { readFileSync } from 'node:fs';
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
  const model: Model = { irVersion: 0, opsets: [], metadata: {}, graph: undefined };
  try {
    readModel(protobuf.Reader.create(bytes), model);
  } catch (reason) {
    if (reason instanceof Error && reason.name === 'PlatformError') throw reason;
    throw notOnnx({ reason: 'it is damaged or of another format' }, reason);
  }
  return signatureOf(model);
}

interface Model {
  irVersion: number;
  readonly opsets: { domain: string; version: number }[];
  readonly metadata: Record<string, string>;
  graph: Graph | undefined;
}

interface Graph {
  readonly inputs: OnnxTensorSpec[];
  readonly outputs: OnnxTensorSpec[];
  readonly initializers: Set<string>;
  nodes: number;
}

const decoderInputs = ['input_ids', 'position_ids', 'past_mask', 'chunk_mask', 'logit_index'];

function signatureOf({ irVersion, opsets, metadata, graph }: Model): OnnxSignature {
  if (irVersion === 0 || graph === undefined || graph.outputs.length === 0 || opsets.length === 0)
    throw notOnnx({ reason: 'it holds no graph that could run' });
  const inputs = graph.inputs.filter(({ name }) => !graph.initializers.has(name));
  const isDecoder = metadata['opea.layout'] === 'decoder/1';
  if (isDecoder && !decoderInputs.every((wanted) => inputs.some(({ name }) => name === wanted)))
    throw notOnnx({ reason: 'it claims the layout decoder/1 but lacks its inputs' });
  return {
    inputs,
    outputs: graph.outputs,
    metadata,
    opsets,
    kind: isDecoder ? 'DECODER' : 'TENSOR',
  };
}

/** Calls `field` for each field of a message; what `field` does not read is skipped. */
function readMessage(
  reader: protobuf.Reader,
  end: number,
  field: (id: number, wireType: number) => boolean,
): void {
  if (end > reader.len) throw new RangeError('A message is longer than the file');
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (!field(tag >>> 3, tag & 7)) reader.skipType(tag & 7);
  }
  if (reader.pos !== end) throw new RangeError('A message does not end where it says');
}

const nested = (reader: protobuf.Reader) => reader.uint32() + reader.pos;
const integer = (reader: protobuf.Reader) => Number(reader.int64());

function readModel(reader: protobuf.Reader, model: Model): void {
  readMessage(reader, reader.len, (id, wireType) => {
    if (id === 1 && wireType === 0) model.irVersion = integer(reader);
    else if (id === 7 && wireType === 2) model.graph = readGraph(reader);
    else if (id === 8 && wireType === 2) model.opsets.push(readOpset(reader));
    else if (id === 14 && wireType === 2) {
      const { key, value } = readPair(reader);
      Object.defineProperty(model.metadata, key, { value, enumerable: true, configurable: true });
    } else if (id === 25 && wireType === 2) readFunction(reader);
    else return false;
    return true;
  });
}

function readGraph(reader: protobuf.Reader): Graph {
  const graph: Graph = { inputs: [], outputs: [], initializers: new Set(), nodes: 0 };
  readMessage(reader, nested(reader), (id, wireType) => {
    if (wireType !== 2) return false;
    if (id === 1) {
      graph.nodes += 1;
      readNode(reader);
    } else if (id === 5) graph.initializers.add(readTensor(reader));
    else if (id === 11) graph.inputs.push(readValueInfo(reader));
    else if (id === 12) graph.outputs.push(readValueInfo(reader));
    else return false;
    return true;
  });
  return graph;
}

function readFunction(reader: protobuf.Reader): void {
  readMessage(reader, nested(reader), (id, wireType) => {
    if (id !== 7 || wireType !== 2) return false;
    readNode(reader);
    return true;
  });
}

/** Only for the graphs and tensors that hide in attributes: they may point outside too. */
function readNode(reader: protobuf.Reader): void {
  readMessage(reader, nested(reader), (id, wireType) => {
    if (id !== 5 || wireType !== 2) return false;
    readMessage(reader, nested(reader), (part, partType) => {
      if (partType !== 2) return false;
      if (part === 5 || part === 10) readTensor(reader);
      else if (part === 6 || part === 11) readGraph(reader);
      else return false;
      return true;
    });
    return true;
  });
}

function readTensor(reader: protobuf.Reader): string {
  let name = '';
  readMessage(reader, nested(reader), (id, wireType) => {
    if (id === 8 && wireType === 2) name = reader.string();
    else if (id === 13 || (id === 14 && reader.int32() !== 0))
      throw notOnnx({ reason: 'it keeps weights in other files' });
    else return id === 14;
    return true;
  });
  return name;
}

function readValueInfo(reader: protobuf.Reader): OnnxTensorSpec {
  let name = '';
  let type: Pick<OnnxTensorSpec, 'datatype' | 'shape'> | undefined;
  readMessage(reader, nested(reader), (id, wireType) => {
    if (id === 1 && wireType === 2) name = reader.string();
    else if (id === 2 && wireType === 2) type = readType(reader);
    else return false;
    return true;
  });
  if (type === undefined) throw notOnnx({ reason: `${JSON.stringify(name)} is no tensor` });
  return { name, ...type };
}

function readType(reader: protobuf.Reader) {
  let elementType = 0;
  let shape: (number | string)[] | undefined;
  readMessage(reader, nested(reader), (id, wireType) => {
    if (id !== 1 || wireType !== 2) return false;
    readMessage(reader, nested(reader), (part, partType) => {
      if (part === 1 && partType === 0) elementType = reader.int32();
      else if (part === 2 && partType === 2) shape = readShape(reader);
      else return false;
      return true;
    });
    return true;
  });
  const datatype = datatypes.get(elementType);
  if (datatype === undefined || shape === undefined) return undefined;
  return { datatype, shape };
}

function readShape(reader: protobuf.Reader): (number | string)[] {
  const shape: (number | string)[] = [];
  readMessage(reader, nested(reader), (id, wireType) => {
    if (id !== 1 || wireType !== 2) return false;
    let size: number | string = `?${shape.length}`;
    readMessage(reader, nested(reader), (part, partType) => {
      if (part === 1 && partType === 0) {
        const value = integer(reader);
        if (value >= 0) size = value;
      } else if (part === 2 && partType === 2) {
        const name = reader.string();
        if (name !== '') size = name;
      } else return false;
      return true;
    });
    shape.push(size);
    return true;
  });
  return shape;
}

function readOpset(reader: protobuf.Reader): { domain: string; version: number } {
  const opset = { domain: '', version: 0 };
  readMessage(reader, nested(reader), (id, wireType) => {
    if (id === 1 && wireType === 2) opset.domain = reader.string();
    else if (id === 2 && wireType === 0) opset.version = integer(reader);
    else return false;
    return true;
  });
  return opset;
}

function readPair(reader: protobuf.Reader): { key: string; value: string } {
  const pair = { key: '', value: '' };
  readMessage(reader, nested(reader), (id, wireType) => {
    if (id === 1 && wireType === 2) pair.key = reader.string();
    else if (id === 2 && wireType === 2) pair.value = reader.string();
    else return false;
    return true;
  });
  return pair;
}

/** `TensorProto.DataType` */
const datatypes = new Map<number, OnnxDatatype>([
  [1, 'FP32'],
  [2, 'UINT8'],
  [3, 'INT8'],
  [4, 'UINT16'],
  [5, 'INT16'],
  [6, 'INT32'],
  [7, 'INT64'],
  [8, 'BYTES'],
  [9, 'BOOL'],
  [10, 'FP16'],
  [11, 'FP64'],
  [12, 'UINT32'],
  [13, 'UINT64'],
]);
