import { GraphQLScalarType, Kind } from 'graphql';
import { badUserInput } from '../errors/index.ts';

/** In and inside: bigint, from a number or decimal text. Out: a number while it is exact, otherwise text. */
export const BigIntScalar = new GraphQLScalarType<bigint, number | string>({
  name: 'BigInt',
  description: 'A whole number of up to 64 bits.',
  serialize(value) {
    const whole = parse(value);
    const asNumber = Number(whole);
    return Number.isSafeInteger(asNumber) ? asNumber : whole.toString();
  },
  parseValue: parse,
  parseLiteral: (node) =>
    parse(node.kind === Kind.INT || node.kind === Kind.STRING ? node.value : undefined),
});

const [min, max] = [-(2n ** 63n), 2n ** 63n - 1n];

function parse(value: unknown): bigint {
  const whole = toBigInt(value);
  if (whole !== undefined && whole >= min && whole <= max) return whole;
  throw badUserInput({ reason: 'Expected a whole number of at most 64 bits.' });
}

function toBigInt(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  return typeof value === 'string' && /^-?\d{1,19}$/.test(value) ? BigInt(value) : undefined;
}
