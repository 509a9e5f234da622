import { type RawBuilder, sql } from 'kysely';

/** A value for a `jsonb` column, the same in both adapters (a driver left alone turns arrays into SQL arrays). */
export const jsonValue = <Value>(value: Value): RawBuilder<Value> =>
  sql<Value>`${JSON.stringify(value)}::text::jsonb`;
