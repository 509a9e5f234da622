import { escapeLiteral } from 'pg';
import { abortable } from '../resilience/index.ts';
import { collectAfterCommit } from './after-commit.ts';
import type { Connection, ConnectionPool } from './connection-pool.ts';
import type { Database, TransactionOptions } from './database.ts';
import { kyselyOverConnection, kyselyOverPool } from './kysely-over.ts';
import { migrate } from './migrate.ts';
import { createSignals } from './signals.ts';

/** The Database port on any pool of connections. */
export function createDatabase<DB>({
  service,
  pool,
  whileOpen = (work) => work(),
}: {
  readonly service: string;
  readonly pool: ConnectionPool;
  /** Runs around the body of every transaction. */
  readonly whileOpen?: <T>(work: () => Promise<T>) => Promise<T>;
}): Database<DB> {
  const signals = createSignals();
  return {
    service,
    query: kyselyOverPool<DB>(pool),
    signals,

    async transaction(fn, { tenant, signal }: TransactionOptions = {}) {
      signal?.throwIfAborted();
      const connection = await pool.connect(signal);
      const guarded = guard(connection);
      try {
        await connection.query(begin(tenant));
        const tx = kyselyOverConnection<DB>(guarded);
        const committed = collectAfterCommit(tx, signals);
        const work = whileOpen(() => fn(tx));
        const result = await (signal ? abortable(work, signal) : work);
        guarded.close();
        signal?.throwIfAborted();
        await connection.query('commit');
        connection.release();
        committed();
        return result;
      } catch (error) {
        guarded.close();
        await rollBack(connection, signal?.aborted ?? false);
        throw error;
      }
    },

    async migrate(migrations) {
      const connection = await pool.connect();
      try {
        await migrate(connection, service, migrations);
      } finally {
        connection.release();
      }
    },

    async [Symbol.asyncDispose]() {
      await pool[Symbol.asyncDispose]();
    },
  };
}

function begin(tenant: string | undefined): string {
  if (tenant === undefined) return 'begin';
  return `begin; select set_config('opea.tenant', ${escapeLiteral(tenant)}, true)`;
}

/** A connection that refuses statements once its transaction is over, so that forgotten work cannot run outside of it. */
function guard(connection: Connection): Connection & { close(): void } {
  let open = true;
  return {
    query: (text, values) =>
      open
        ? connection.query(text, values)
        : Promise.reject(new Error('This transaction is over: every statement must be awaited')),
    release() {},
    close() {
      open = false;
    },
  };
}

async function rollBack(connection: Connection, cutOff: boolean): Promise<void> {
  if (cutOff) {
    connection.release(true);
    return;
  }
  try {
    await connection.query('rollback');
    connection.release();
  } catch {
    connection.release(true);
  }
}
