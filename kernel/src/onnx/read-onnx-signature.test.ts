import protobuf from 'protobufjs/minimal.js';
import { expect, test } from 'vitest';
import { readOnnxSignature } from './read-onnx-signature.ts';

/** A protobuf message out of `[field, value]`: numbers are varints, strings and bytes are length-delimited. */
function message(...fields: readonly (readonly [number, number | string | Uint8Array])[]) {
  const writer = protobuf.Writer.create();
  for (const [id, value] of fields) {
    if (typeof value === 'number') writer.uint32(id << 3).int64(value);
    else if (typeof value === 'string') writer.uint32((id << 3) | 2).string(value);
    else writer.uint32((id << 3) | 2).bytes(value);
  }
  return writer.finish();
}

const dim = (size: number | string) => message(typeof size === 'number' ? [1, size] : [2, size]);
const value = (name: string, elementType: number, shape: readonly (number | string)[]) => {
  const dims = shape.map((size) => [1, dim(size)] as const);
  const tensor = message([1, elementType], [2, message(...dims)]);
  return message([1, name], [2, message([1, tensor])]);
};
const model = (
  graph: readonly (readonly [number, string | Uint8Array])[],
  extra: readonly (readonly [number, number | string | Uint8Array])[] = [],
) => message([1, 8], [7, message(...graph)], [8, message([1, ''], [2, 17])], ...extra);

const x = [11, value('x', 1, ['batch', 4])] as const;
const y = [12, value('y', 7, ['', -1, 2])] as const;

test('inputs, outputs, metadata and opsets are read', () => {
  const metadata = message([1, 'author'], [2, 'me']);

  expect(readOnnxSignature(model([x, y], [[14, metadata]]))).toEqual({
    inputs: [{ name: 'x', datatype: 'FP32', shape: ['batch', 4] }],
    outputs: [{ name: 'y', datatype: 'INT64', shape: ['?0', '?1', 2] }],
    metadata: { author: 'me' },
    opsets: [{ domain: '', version: 17 }],
    kind: 'TENSOR',
  });
});

test('weights listed among the inputs are no inputs', () => {
  const weights = [11, value('w', 1, [2])] as const;
  const initializer = [5, message([8, 'w'], [9, new Uint8Array(8)])] as const;

  expect(readOnnxSignature(model([x, weights, y, initializer])).inputs).toHaveLength(1);
});

test('metadata cannot reach the prototype', () => {
  const metadata = message([1, '__proto__'], [2, 'polluted']);
  const read = readOnnxSignature(model([x, y], [[14, metadata]]));

  expect(Object.getPrototypeOf(read.metadata)).toBe(Object.prototype);
  expect(Object.keys(read.metadata)).toEqual(['__proto__']);
});

const outside = message([8, 'w'], [13, message([1, 'location'], [2, '/etc/passwd'])], [14, 1]);

test.each([
  ['an empty file', new Uint8Array(0), 'empty'],
  ['text', new TextEncoder().encode('<html>not a model</html>'), 'damaged'],
  ['a truncated model', model([x, y]).subarray(0, 40), 'damaged'],
  ['a model without a graph', message([1, 8], [8, message([2, 17])]), 'no graph'],
  ['a graph without outputs', model([x]), 'no graph'],
  ['weights in another file', model([x, y, [5, outside]]), 'other files'],
  [
    "weights in another file, hidden in a node's attribute",
    model([x, y, [1, message([4, 'Constant'], [5, message([1, 'value'], [5, outside])])]]),
    'other files',
  ],
  [
    'weights in another file, hidden in a subgraph',
    model([x, y, [1, message([4, 'If'], [5, message([6, message([5, outside])])])]]),
    'other files',
  ],
  ['an input that is no tensor', model([[11, message([1, 'm'])], y]), 'no tensor'],
  [
    'a decoder without its inputs',
    model([x, y], [[14, message([1, 'opea.layout'], [2, 'decoder/1'])]]),
    'decoder/1',
  ],
])('%s is refused with NOT_ONNX', (_, bytes, reason) => {
  expect(() => readOnnxSignature(bytes)).toThrow(
    expect.objectContaining({
      kind: { code: 'NOT_ONNX', status: 422 },
      message: expect.stringContaining(reason),
    }),
  );
});

test('no single flipped bit makes the reader hang or throw anything else', () => {
  const bytes = model([x, y, [5, message([8, 'w'], [9, new Uint8Array(64)])]]);

  for (let bit = 0; bit < bytes.byteLength * 8; bit++) {
    const flipped = Uint8Array.from(bytes);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const outcome = (() => {
      try {
        return typeof readOnnxSignature(flipped);
      } catch (error) {
        return (error as { kind?: { code: string } }).kind?.code;
      }
    })();
    expect(['object', 'NOT_ONNX']).toContain(outcome);
  }
});
