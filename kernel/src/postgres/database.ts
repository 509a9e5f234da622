import type { Kysely, QueryExecutorProvider } from 'kysely';
import type { Signals } from './signals.ts';

/** A service's own tables: its schema, its role, nothing of any other service. */
export interface Database<DB> extends AsyncDisposable {
  readonly service: string;
  /** For single statements outside a transaction. Tables under row level security show no row here: no tenant is set. */
  readonly query: Kysely<DB>;
  /**
   * Runs `fn` in one transaction (READ COMMITTED): commits when it resolves, rolls back when it rejects or `signal` aborts.
   * `tenant` becomes `current_setting('opea.tenant', true)` for row level security, until the transaction ends.
   * Use only `tx` inside: the embedded store has one connection and refuses `query` from inside a transaction.
   * Throws UNAVAILABLE when no connection can be had, DEADLINE_EXCEEDED when a statement takes too long.
   */
  transaction<T>(fn: (tx: Kysely<DB>) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** Applies what is not applied yet, in order, under a lock. Refuses when an applied migration was edited or left out. */
  migrate(migrations: readonly Migration[]): Promise<void>;
  /** Wake-ups between parts of this process that share the database. */
  readonly signals: Signals;
}

/** Any service's database, for machinery that brings tables of its own and speaks SQL. */
export interface AnyDatabase {
  readonly service: string;
  readonly query: QueryExecutorProvider;
  readonly signals: Signals;
  transaction<T>(
    fn: (tx: QueryExecutorProvider) => Promise<T>,
    options?: TransactionOptions,
  ): Promise<T>;
}

export interface TransactionOptions {
  readonly tenant?: string;
  readonly signal?: AbortSignal;
}

/** One step of a schema's history; `sql` may hold several statements. Never edited once it was applied anywhere. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
}

/** The embedded PostgreSQL: one engine in one worker thread, one schema and role for each service. */
export interface EmbeddedPostgres extends AsyncDisposable {
  database<DB>(service: string): Promise<Database<DB>>;
}
