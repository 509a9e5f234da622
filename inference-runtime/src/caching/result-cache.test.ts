import type { Tensor } from '@opea/schema/runtime';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { requestDigest } from './request-digest.ts';
import { ResultCache } from './result-cache.ts';

const floats = (name: string, ...values: number[]): Tensor => ({
  name,
  datatype: 'FP32',
  shape: [values.length],
  data: Float32Array.from(values),
});

test('an answer is remembered, and changing what was handed out changes nothing', () => {
  const cache = new ResultCache<{ outputs: readonly Tensor[] }>(10_000);
  const data = Float32Array.of(1, 2);
  cache.put('d', { outputs: [{ ...floats('y', 1, 2), data }] });
  data[0] = 99;
  const handedOut = cache.get('d')?.outputs[0]?.data;
  if (handedOut instanceof Float32Array) handedOut[1] = 99;

  expect(cache.get('d')).toEqual({ outputs: [floats('y', 1, 2)] });
});

test('whatever is put: the size stays within its bound and the latest answer is there', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat({ max: 9 }), fc.nat({ max: 300 }))), (puts) => {
      const cache = new ResultCache<{ outputs: readonly Tensor[] }>(2_000);
      for (const [key, length] of puts) {
        const answer = { outputs: [floats('y', ...Array<number>(length).fill(key))] };
        cache.put(`k${key}`, answer);
        expect(cache.bytes).toBeLessThanOrEqual(2_000);
        const fits = 256 + 4 * length <= 2_000;
        expect(fits ? cache.get(`k${key}`) : answer).toEqual(answer);
      }
    }),
  );
});

test.each([
  ['another value', [floats('x', 1, 3)]],
  ['another name', [floats('z', 1, 2)]],
  ['another shape', [{ ...floats('x', 1, 2), shape: [2, 1] }]],
  ['another type', [{ ...floats('x', 1, 2), datatype: 'INT32' as const }]],
  ['another input', [floats('x', 1, 2), floats('w', 1)]],
  ['the same bytes split differently', [floats('x', 1), floats('x2', 2)]],
])('%s is another request', (_, inputs) => {
  expect(requestDigest(['t'], inputs)).not.toBe(requestDigest(['t'], [floats('x', 1, 2)]));
});

test('the order of inputs does not matter; the scope does', () => {
  const a = floats('a', 1);
  const b = floats('b', 2);

  expect(requestDigest(['t'], [a, b])).toBe(requestDigest(['t'], [b, a]));
  expect(requestDigest(['t'], [a])).not.toBe(requestDigest(['u'], [a]));
  expect(requestDigest(['t', 'u'], [a])).not.toBe(requestDigest(['tu'], [a]));
});

test('a view into a larger buffer equals its copy', () => {
  const larger = Float32Array.of(0, 1, 2, 3);
  const view: Tensor = { name: 'x', datatype: 'FP32', shape: [2], data: larger.subarray(1, 3) };

  expect(requestDigest(['t'], [view])).toBe(requestDigest(['t'], [floats('x', 1, 2)]));
});
