export { afterCommit } from './after-commit.ts';
export type {
  AnyDatabase,
  Database,
  EmbeddedPostgres,
  Migration,
  TransactionOptions,
} from './database.ts';
export { folderInUse, folderUnwritable } from './folder-lock.ts';
export { jsonValue } from './json-value.ts';
export { migrationRefused } from './migrate.ts';
export { folderDamaged, openPglite, type PgliteOptions } from './open-pglite.ts';
export { openPostgres, type PostgresOptions } from './open-postgres.ts';
export type { Signals } from './signals.ts';
export { isUniqueViolation } from './translate-error.ts';
