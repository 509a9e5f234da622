import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromHalfBits, toHalfBits } from './half.ts';
import { decodeTensor, storedTensor, tensorBase64, tensorValues } from './tensor-codec.ts';

describe('a tensor', () => {
  test('reads back the values it was given', () => {
    fc.assert(
      fc.property(fc.array(fc.float({ noNaN: true, noDefaultInfinity: true })), (values) => {
        const data = values.map((value) => value + 0);
        const tensor = decodeTensor({ name: 'x', datatype: 'FP32', shape: [data.length], data });
        expect(tensorValues(tensor).map((value) => Math.fround(Number(value)))).toEqual(data);
      }),
    );
  });

  test('reads the same from bytes as from values', () => {
    const shape = [2, 2];
    const tensor = decodeTensor({ name: 'x', datatype: 'INT64', shape, data: [1, -2, 3, 4] });

    const again = decodeTensor({
      name: 'x',
      datatype: 'INT64',
      shape,
      base64: tensorBase64(tensor),
    });

    expect(again).toEqual(tensor);
    expect(tensorValues(again)).toEqual([1, -2, 3, 4]);
  });

  test('keeps 64-bit integers whole', () => {
    const tensor = decodeTensor({
      name: 'x',
      datatype: 'UINT64',
      shape: [1],
      data: ['18446744073709551615'],
    });

    expect(tensorValues(tensor)).toEqual(['18446744073709551615']);
  });

  test('prints FP32 without the noise of FP64', () => {
    const tensor = decodeTensor({ name: 'x', datatype: 'FP32', shape: [2], data: [0.1, 1e-7] });

    expect(tensorValues(tensor)).toEqual([0.1, 1e-7]);
  });

  test('survives storage', () => {
    const tensor = decodeTensor({ name: 's', datatype: 'BYTES', shape: [2], data: ['a', 'ß'] });

    expect(storedTensor({ ...tensor, base64: null, strings: ['a', 'ß'] })).toEqual(tensor);
  });

  test.for([
    ['too few values', { shape: [2], data: [1] }, 'the shape holds 2 values'],
    ['a negative dimension', { shape: [-1], data: [1] }, 'negative'],
    ['both forms', { shape: [1], data: [1], base64: 'AAAAAA==' }, 'exactly one'],
    ['neither form', { shape: [1] }, 'exactly one'],
    ['half a value', { shape: [1], base64: 'AAA=' }, 'whole number of FP32'],
    ['a word', { shape: [1], data: ['one'] }, 'x[0]: is not a finite number'],
    ['no list', { shape: [1], data: 1 }, 'flat list'],
  ] as const)('with %s is refused by name', ([, wrong, message]) => {
    expect(() => decodeTensor({ name: 'x', datatype: 'FP32', ...wrong })).toThrow(message);
  });

  test('refuses an integer outside its type', () => {
    expect(() => decodeTensor({ name: 'x', datatype: 'INT8', shape: [1], data: [128] })).toThrow(
      'x[0]: 128 is outside INT8',
    );
  });
});

test('half precision keeps every number it can hold', () => {
  const numbers = Array.from({ length: 65_536 }, (_unused, bits) => bits).filter(
    (bits) => !Number.isNaN(fromHalfBits(bits)),
  );

  expect(numbers.map((bits) => toHalfBits(fromHalfBits(bits)))).toEqual(numbers);
});
