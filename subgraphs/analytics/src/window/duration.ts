import { badUserInput } from '@opea/kernel/errors';
import { GraphQLScalarType, Kind } from 'graphql';

const unitsMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `15m` as ms. Throws BAD_USER_INPUT for anything that is not a whole number and a unit. */
export function parseDuration(text: unknown): number {
  const match = typeof text === 'string' ? /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) : null;
  const unit = match?.[2];
  if (!match || !isUnit(unit))
    throw badUserInput({ reason: 'A duration is a whole number and a unit, such as 30s or 15m.' });
  return Number(match[1]) * unitsMs[unit];
}

export const DurationScalar = new GraphQLScalarType<number, string>({
  name: 'Duration',
  parseValue: parseDuration,
  parseLiteral: (node) => parseDuration(node.kind === Kind.STRING ? node.value : undefined),
  serialize: (value) => `${Number(value)}ms`,
});

const isUnit = (unit: string | undefined): unit is keyof typeof unitsMs =>
  unit !== undefined && Object.hasOwn(unitsMs, unit);
