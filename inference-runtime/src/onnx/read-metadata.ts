import protobuf from 'protobufjs';

const graphField = 7;
const metadataField = 14;

/** The `metadata_props` of an `.onnx` file, without parsing its graph. Throws when the bytes are no protobuf message. */
export function readMetadata(bytes: Uint8Array): ReadonlyMap<string, string> {
  const reader = protobuf.Reader.create(bytes);
  const metadata = new Map<string, string>();
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const field = tag >>> 3;
    if (field === metadataField) {
      const [key, value] = readEntry(reader.bytes());
      metadata.set(key, value);
    } else if (field === graphField) reader.skip(reader.uint32());
    else reader.skipType(tag & 7);
  }
  return metadata;
}

function readEntry(bytes: Uint8Array): [string, string] {
  const reader = protobuf.Reader.create(bytes);
  const entry: [string, string] = ['', ''];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const field = tag >>> 3;
    if (field === 1) entry[0] = reader.string();
    else if (field === 2) entry[1] = reader.string();
    else reader.skipType(tag & 7);
  }
  return entry;
}
