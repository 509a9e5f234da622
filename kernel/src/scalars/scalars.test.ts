import { parseValue } from 'graphql';
import { expect, test } from 'vitest';
import { BigIntScalar, DateTimeScalar, JsonScalar } from './index.ts';

test('a DateTime is read with its offset and leaves in UTC', () => {
  const value = DateTimeScalar.parseValue('2026-01-31T13:00:00+01:00');

  expect(DateTimeScalar.serialize(value)).toBe('2026-01-31T12:00:00.000Z');
});

test.for(['2026-01-31', 'yesterday', '2026-13-01T00:00:00Z', '2026-01-31T12:00:00', 5, null])(
  '%j is no DateTime',
  (value) => {
    expect(() => DateTimeScalar.parseValue(value)).toThrow('Expected an instant');
  },
);

test('a BigInt is exact up to 64 bits, and a number while that is exact', () => {
  const out = (value: unknown) => BigIntScalar.serialize(BigIntScalar.parseValue(value));

  expect(out('9223372036854775807')).toBe('9223372036854775807');
  expect(out(42)).toBe(42);
  for (const value of ['9223372036854775808', 1.5, '1e3', '', true, 2 ** 60]) {
    expect(() => BigIntScalar.parseValue(value)).toThrow('whole number');
  }
});

test('JSON takes any literal, with variables inside', () => {
  const literal = parseValue('{a: [1, 2.5, "x", true, null, $v], e: RED}');

  expect(JsonScalar.parseLiteral(literal, { v: { deep: 1 } })).toEqual({
    a: [1, 2.5, 'x', true, null, { deep: 1 }],
    e: 'RED',
  });
});
