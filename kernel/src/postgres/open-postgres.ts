import { Pool, type PoolClient } from 'pg';
import type { Secret } from '../config/index.ts';
import { hasCode } from '../errors/index.ts';
import type { Connection, ConnectionPool } from './connection-pool.ts';
import { createDatabase } from './create-database.ts';
import type { Database } from './database.ts';
import { pgTypes } from './pg-types.ts';
import { serviceName } from './service-name.ts';
import { translateError } from './translate-error.ts';

export interface PostgresOptions {
  readonly url: string | Secret;
  /** Lower-case letters, digits and `_`: the schema of the service's tables and the name its connections carry. */
  readonly service: string;
  readonly maxConnections?: number;
  /** How long one statement may run, and how long a caller may wait for a connection. */
  readonly statementTimeoutMs?: number;
  readonly connectTimeoutMs?: number;
}

/** A service's database on a PostgreSQL server (15 or newer). Connections that break are replaced as they are needed. */
export async function openPostgres<DB>(options: PostgresOptions): Promise<Database<DB>> {
  const {
    url,
    maxConnections = 10,
    statementTimeoutMs = 10_000,
    connectTimeoutMs = 5_000,
  } = options;
  const service = serviceName(options.service);
  const pool = new Pool({
    connectionString: typeof url === 'string' ? url : url.reveal(),
    max: maxConnections,
    application_name: `opea-${service}`,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: statementTimeoutMs * 3,
    query_timeout: statementTimeoutMs + 2_000,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    options: `-c search_path=${service},public`,
    types: pgTypes,
  });
  // An idle connection that breaks is dropped by the pool; whoever asks next gets a new one, or UNAVAILABLE.
  pool.on('error', () => {});

  const connections: ConnectionPool = {
    connect: () => translated(async () => connectionOver(await pool.connect())),
    async [Symbol.asyncDispose]() {
      await pool.end();
    },
  };
  try {
    await prepare(connections, service);
  } catch (error) {
    await pool.end();
    throw error;
  }
  return createDatabase<DB>({ service, pool: connections });
}

async function prepare(pool: ConnectionPool, service: string): Promise<void> {
  const connection = await pool.connect();
  try {
    // `if not exists` alone fails for one of two processes that start at once: they take turns.
    await connection.query(`select pg_advisory_lock(hashtext('opea:prepare'))`);
    await connection.query(`create schema if not exists "${service}"`);
    // A role that may not create extensions finds them made by the operator; a migration that needs one says so.
    await connection
      .query('create extension if not exists vector with schema public')
      .catch(() => {});
    await connection.query(`select pg_advisory_unlock(hashtext('opea:prepare'))`);
    connection.release();
  } catch (error) {
    // Thrown away, and with it the lock.
    connection.release(true);
    throw error;
  }
}

function connectionOver(client: PoolClient): Connection {
  let broken = false;
  const fail = () => {
    broken = true;
  };
  client.on('error', fail);
  return {
    async query(text, values) {
      try {
        return await (values ? client.query(text, [...values]) : client.query(text));
      } catch (cause) {
        const error = translateError(cause);
        broken ||= hasCode(error, 'UNAVAILABLE');
        throw error;
      }
    },
    release(thrownAway = false) {
      client.off('error', fail);
      client.release(thrownAway || broken);
    },
  };
}

async function translated<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw translateError(error);
  }
}
