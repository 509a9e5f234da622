/** What stands before the weights of a GGUF file (ggml's `docs/gguf.md`, versions 2 and 3). */
export interface GgufFile {
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

export type GgufValue = string | number | boolean | readonly GgufValue[];

export interface GgufTensor {
  /** Fastest dimension first. */
  readonly dims: readonly number[];
  /** Number of the storage type. */
  readonly type: number;
  /** The bytes from its beginning to the end of the file. */
  readonly bytes: Uint8Array;
}

const magic = 0x46554747;
const arrayType = 9;
const stringType = 8;

/** Reads the directory of a GGUF file. Throws a sentence when it is not one. */
export function readGguf(file: Uint8Array): GgufFile {
  const reader = createReader(file);
  if (reader.number(4) !== magic) throw new Error('This is not a GGUF file');
  const version = reader.number(4);
  if (version !== 2 && version !== 3) throw new Error(`GGUF version ${version} is not supported`);
  const tensorCount = reader.number(10);
  const valueCount = reader.number(10);

  const metadata = new Map<string, GgufValue>();
  for (let index = 0; index < valueCount; index++) {
    const key = reader.text();
    metadata.set(key, reader.value(reader.number(4)));
  }
  const directory = Array.from({ length: tensorCount }, () => {
    const name = reader.text();
    const dims = Array.from({ length: reader.number(4) }, () => reader.number(10));
    return { name, dims, type: reader.number(4), offset: reader.number(10) };
  });

  const alignment = Number(metadata.get('general.alignment') ?? 32);
  const start = Math.ceil(reader.position / alignment) * alignment;
  const tensors = new Map(
    directory.map(({ name, dims, type, offset }) => [
      name,
      { dims, type, bytes: file.subarray(start + offset) },
    ]),
  );
  return { metadata, tensors };
}

/** Reads scalars by the numbers of GGUF's value types. */
function createReader(file: Uint8Array) {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const utf8 = new TextDecoder();
  let position = 0;

  const take = (bytes: number) => {
    const at = position;
    position += bytes;
    if (position > file.byteLength) throw new Error('The GGUF file ends too early');
    return at;
  };
  const scalars: Readonly<Record<number, () => number>> = {
    0: () => view.getUint8(take(1)),
    1: () => view.getInt8(take(1)),
    2: () => view.getUint16(take(2), true),
    3: () => view.getInt16(take(2), true),
    4: () => view.getUint32(take(4), true),
    5: () => view.getInt32(take(4), true),
    6: () => view.getFloat32(take(4), true),
    7: () => view.getUint8(take(1)),
    10: () => Number(view.getBigUint64(take(8), true)),
    11: () => Number(view.getBigInt64(take(8), true)),
    12: () => view.getFloat64(take(8), true),
  };

  function number(type: number): number {
    const read = scalars[type];
    if (read === undefined) throw new Error(`GGUF value type ${type} is not known`);
    return read();
  }

  function text(): string {
    const length = number(10);
    const at = take(length);
    return utf8.decode(file.subarray(at, at + length));
  }

  function value(type: number): GgufValue {
    if (type === stringType) return text();
    if (type !== arrayType) return type === 7 ? number(type) !== 0 : number(type);
    const item = number(4);
    return Array.from({ length: number(10) }, () => value(item));
  }

  return {
    number,
    text,
    value,
    get position() {
      return position;
    },
  };
}
