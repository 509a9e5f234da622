import { GraphQLScalarType, Kind } from 'graphql';
import { isInstant, parseInstant } from '../clock/index.ts';
import { badUserInput } from '../errors/index.ts';

/** In: RFC 3339 text. Inside: Date. Out: RFC 3339 in UTC with milliseconds. */
export const DateTimeScalar = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  description: 'An instant in UTC, RFC 3339: 2026-01-31T12:00:00.000Z.',
  serialize: (value) => instant(value).toISOString(),
  parseValue: instant,
  parseLiteral: (node) => instant(node.kind === Kind.STRING ? node.value : undefined),
});

function instant(value: unknown): Date {
  if (isInstant(value)) return value;
  const parsed = typeof value === 'string' ? parseInstant(value) : undefined;
  if (parsed) return parsed;
  throw badUserInput({ reason: 'Expected an instant such as 2026-01-31T12:00:00Z.' });
}
