import { expect, test } from 'vitest';
import { tensorOf } from './nested-tensor.ts';

test('nested arrays become a flat tensor with their shape', () => {
  expect(
    tensorOf('x', 'FP32', [
      [1, 2, 3],
      [4, 5, 6],
    ]),
  ).toEqual({
    name: 'x',
    datatype: 'FP32',
    shape: [2, 3],
    data: [1, 2, 3, 4, 5, 6],
  });
});

test('a single value has no dimensions', () => {
  expect(tensorOf('x', 'FP32', 1)).toMatchObject({ shape: [], data: [1] });
});

test.for([
  ['rows of different length', [[1], [2, 3]]],
  ['a row that is no list', [[1], 2]],
  ['a list where a number belongs', [1, [2]]],
])('%s are refused', ([, nested]) => {
  expect(() => tensorOf('x', 'FP32', nested)).toThrow('ragged');
});
