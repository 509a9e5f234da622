import type { GraphQLScalarType } from 'graphql';
import { BigIntScalar } from './big-int.ts';
import { DateTimeScalar } from './date-time.ts';
import { JsonScalar } from './json.ts';

/** The declarations of the scalars, for a subgraph's SDL. */
export const scalarSdl = `
"An instant in UTC, RFC 3339: 2026-01-31T12:00:00.000Z."
scalar DateTime
"Any JSON value."
scalar JSON
"A whole number of up to 64 bits; leaves as a number while JavaScript holds it exactly, otherwise as a string."
scalar BigInt
`;

/** Their implementations, for a subgraph's resolvers. */
export const scalarResolvers: Readonly<Record<'DateTime' | 'JSON' | 'BigInt', GraphQLScalarType>> =
  {
    DateTime: DateTimeScalar,
    JSON: JsonScalar,
    BigInt: BigIntScalar,
  };
