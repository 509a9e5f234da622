import type { QueryResult } from 'pg';

/** Where connections come from; the two adapters differ only here. */
export interface ConnectionPool extends AsyncDisposable {
  /** A connection of the service's role and schema, for one user at a time. */
  connect(signal?: AbortSignal): Promise<Connection>;
}

export interface Connection {
  /** One statement with values, or several without. Errors are translated already. */
  query(text: string, values?: readonly unknown[]): Promise<QueryResult>;
  /** Gives it back; a broken one is thrown away. */
  release(broken?: boolean): void;
}
