import protobuf from 'protobufjs/minimal.js';

export interface TinyTensor {
  readonly name: string;
  /** ONNX's TensorProto.DataType; 1 is float32, 7 int64. */
  readonly elementType?: number;
  readonly shape: readonly (number | string)[];
}

export interface TinyModel {
  readonly inputs?: readonly TinyTensor[];
  readonly outputs?: readonly TinyTensor[];
  readonly metadata?: Readonly<Record<string, string>>;
  /** Makes the file's bytes, and so its digest, its own. */
  readonly producer?: string;
}

const row = { shape: ['batch', 4] };

/** A valid ONNX file with one Identity node: enough to read a signature from (field numbers of `onnx.proto`). */
export function tinyOnnx({
  inputs = [{ name: 'x', ...row }],
  outputs = [{ name: 'y', ...row }],
  metadata = {},
  producer = 'test',
}: TinyModel = {}): Uint8Array {
  const graph = message((writer) => {
    embed(writer, 1, (node) => {
      node.uint32(10).string(inputs[0]?.name ?? 'x');
      node.uint32(18).string(outputs[0]?.name ?? 'y');
      node.uint32(34).string('Identity');
    });
    writer.uint32(18).string('tiny');
    for (const input of inputs) embed(writer, 11, (value) => valueInfo(value, input));
    for (const output of outputs) embed(writer, 12, (value) => valueInfo(value, output));
  });
  return message((writer) => {
    writer.uint32(8).int64(8);
    writer.uint32(18).string(producer);
    writer.uint32(58).bytes(graph);
    embed(writer, 8, (opset) => opset.uint32(16).int64(17));
    for (const [key, value] of Object.entries(metadata))
      embed(writer, 14, (entry) => entry.uint32(10).string(key).uint32(18).string(value));
  });
}

function valueInfo(writer: protobuf.Writer, { name, elementType = 1, shape }: TinyTensor): void {
  writer.uint32(10).string(name);
  embed(writer, 2, (type) => {
    embed(type, 1, (tensor) => {
      tensor.uint32(8).int32(elementType);
      embed(tensor, 2, (dimensions) => {
        for (const size of shape)
          embed(dimensions, 1, (dimension) => {
            if (typeof size === 'number') dimension.uint32(8).int64(size);
            else dimension.uint32(18).string(size);
          });
      });
    });
  });
}

function embed(
  writer: protobuf.Writer,
  field: number,
  write: (nested: protobuf.Writer) => void,
): void {
  writer.uint32(field * 8 + 2).bytes(message(write));
}

function message(write: (writer: protobuf.Writer) => void): Uint8Array {
  const writer = protobuf.Writer.create();
  write(writer);
  return writer.finish();
}
