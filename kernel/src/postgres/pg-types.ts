import { type CustomTypesConfig, types } from 'pg';

const dateOid = 1082;

/**
 * How values come back, the same in both adapters: bigint and numeric as text, date as `YYYY-MM-DD`,
 * timestamps as Date, json and jsonb parsed, bytea as Buffer.
 */
export const pgTypes: CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === dateOid
      ? (value: string) => value
      : types.getTypeParser(oid, format)) as typeof types.getTypeParser,
};
