import { expect, test } from 'vitest';
import type { Tensor } from './protocol.ts';
import { decodeTensorFrame, encodeTensorFrame } from './tensor-frame.ts';

const tensors: readonly Tensor[] = [
  { name: 'a', datatype: 'UINT8', shape: [3], data: Uint8Array.of(1, 2, 3) },
  { name: 'b', datatype: 'FP64', shape: [1, 2], data: Float64Array.of(0.5, Number.MIN_VALUE) },
  { name: 'c', datatype: 'INT64', shape: [1], data: BigInt64Array.of(-(2n ** 62n)) },
  { name: 'd', datatype: 'BYTES', shape: [2], data: ['', 'ß\u0000\n'] },
  { name: 'e', datatype: 'FP32', shape: [0], data: new Float32Array(0) },
];

test('tensors of every width come back as they were', () => {
  const frame = encodeTensorFrame({ head: { n: 1 }, tensors });

  expect(decodeTensorFrame(frame)).toEqual({ head: { n: 1 }, tensors });
});

test('a frame is read from the middle of a larger buffer', () => {
  const frame = encodeTensorFrame({ head: null, tensors });
  const larger = Buffer.concat([Buffer.alloc(3), frame, Buffer.alloc(5)]);

  expect(decodeTensorFrame(larger.subarray(3, 3 + frame.byteLength)).tensors).toEqual(tensors);
});

test('every truncation is refused or reads as empty, and none throws anything else', () => {
  const frame = encodeTensorFrame({ head: {}, tensors });

  for (let length = 0; length < frame.byteLength - 8; length++)
    expect(() => decodeTensorFrame(frame.subarray(0, length))).toThrow(
      expect.objectContaining({ kind: { code: 'BAD_USER_INPUT', status: 400 } }),
    );
});

test.each([
  ['a tensor outside the message', { name: 'x', datatype: 'FP32', shape: [1], at: [0, 400] }],
  ['a negative offset', { name: 'x', datatype: 'FP32', shape: [1], at: [-8, 4] }],
  ['half a number', { name: 'x', datatype: 'FP32', shape: [1], at: [0, 3] }],
  ['an unknown datatype', { name: 'x', datatype: 'constructor', shape: [1], at: [0, 4] }],
  ['a tensor without data', { name: 'x', datatype: 'FP32', shape: [1] }],
])('%s is refused', (_, tensor) => {
  const json = new TextEncoder().encode(JSON.stringify({ head: {}, tensors: [tensor] }));
  const frame = new Uint8Array(Math.ceil((4 + json.byteLength) / 8) * 8 + 8);
  new DataView(frame.buffer).setUint32(0, json.byteLength, true);
  frame.set(json, 4);

  expect(() => decodeTensorFrame(frame)).toThrow('cannot be read');
});
