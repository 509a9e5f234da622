import { type Expression, type SqlBool, sql } from 'kysely';

/** The instant to read at, as SQL; without one, after everything. */
const instant = (asOf: Date | undefined) =>
  sql<Date>`${asOf?.toISOString() ?? 'infinity'}::timestamptz`;

/** Whether a row's period holds at the instant: from `valid_from`, until before `valid_to`. */
export const holds = (table: string, asOf: Date | undefined): Expression<SqlBool> => {
  const [from, to] = [sql.ref(`${table}.valid_from`), sql.ref(`${table}.valid_to`)];
  return sql<SqlBool>`(${from} <= ${instant(asOf)} AND (${to} IS NULL OR ${to} > ${instant(asOf)}))`;
};

/** Whether the column's instant has come. */
export const happened = (column: string, asOf: Date | undefined): Expression<SqlBool> =>
  sql<SqlBool>`${sql.ref(column)} <= ${instant(asOf)}`;
