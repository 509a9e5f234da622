export { afterCommit } from './after-commit.ts';
export type {
  Database,
  EmbeddedPostgres,
  Migration,
  TransactionOptions,
} from './database.ts';
export { jsonValue } from './json-value.ts';
export type { Signals } from './signals.ts';
