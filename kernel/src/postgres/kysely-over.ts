import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from 'kysely';
import type { Connection, ConnectionPool } from './connection-pool.ts';

/** Kysely on a pool: every statement takes a connection and gives it back. */
export const kyselyOverPool = <DB>(pool: ConnectionPool): Kysely<DB> =>
  kyselyOver({ connect: async () => client(await pool.connect()), end: async () => {} });

/** Kysely on one connection, which is not given back. */
export const kyselyOverConnection = <DB>(connection: Connection): Kysely<DB> =>
  kyselyOver({
    connect: async () => client({ query: connection.query.bind(connection), release() {} }),
    end: async () => {},
  });

const kyselyOver = <DB>(pool: PostgresPool) =>
  new Kysely<DB>({ dialect: new PostgresDialect({ pool }) });

function client(connection: Connection): PostgresPoolClient {
  return new Client(connection);
}

class Client implements PostgresPoolClient {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  query<Row>(text: string, values: readonly unknown[]): Promise<QueryAnswer<Row>>;
  query(cursor: object): never;
  query(text: unknown, values: readonly unknown[] = []): unknown {
    if (typeof text !== 'string') throw new Error('Streaming results is not supported');
    return this.#connection.query(text, values);
  }

  release(): void {
    this.#connection.release();
  }
}

interface QueryAnswer<Row> {
  readonly command: 'UPDATE' | 'DELETE' | 'INSERT' | 'SELECT' | 'MERGE';
  readonly rowCount: number;
  readonly rows: Row[];
}
