import { AsyncLocalStorage } from 'node:async_hooks';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Client } from 'pg';
import { defineError } from '../errors/index.ts';
import { openStack } from '../lifecycle/index.ts';
import { Semaphore } from '../resilience/index.ts';
import type { Connection, ConnectionPool } from './connection-pool.ts';
import { createDatabase } from './create-database.ts';
import type { EmbeddedPostgres } from './database.ts';
import { folderUnwritable, lockFolder } from './folder-lock.ts';
import { pgTypes } from './pg-types.ts';
import { type Engine, startEngine } from './pglite-engine.ts';
import { PgliteWire } from './pglite-wire.ts';
import { serviceName } from './service-name.ts';
import { translateError } from './translate-error.ts';

export const folderDamaged = defineError(
  'FOLDER_DAMAGED',
  500,
  ({ folder }: { folder: string }) =>
    `The data in ${folder} cannot be opened. Restore a backup, or choose another folder.`,
);

export interface PgliteOptions {
  /** Where the data lives, or 'memory' for data that ends with the process. */
  readonly folder: string;
}

/**
 * Starts the embedded PostgreSQL in a thread of its own. It has one connection; users take turns in the order they came.
 * Throws FOLDER_IN_USE, FOLDER_UNWRITABLE, FOLDER_DAMAGED.
 */
export async function openPglite({ folder }: PgliteOptions): Promise<EmbeddedPostgres> {
  const stack = openStack();
  try {
    const engine =
      folder === 'memory'
        ? await startEngine('memory://', { isNew: true })
        : await openFolder(folder, stack);
    stack.use(engine);
    const client = await connect(engine);
    stack.defer(() => client.end());
    return embedded(client, stack);
  } catch (error) {
    await Promise.resolve(stack[Symbol.asyncDispose]()).catch(() => {});
    throw error;
  }
}

async function openFolder(folder: string, stack: ReturnType<typeof openStack>): Promise<Engine> {
  stack.use(await lockFolder(folder));
  const data = path.join(folder, 'postgres');
  const complete = path.join(folder, 'postgres.complete');
  const isNew = !existsSync(complete);
  try {
    // A first start that was cut short has promised nothing to anybody: begin it again.
    if (isNew) await rm(data, { recursive: true, force: true });
    await mkdir(data, { recursive: true });
  } catch (error) {
    throw folderUnwritable({ folder }, error);
  }
  const engine = await startEngine(data, { isNew }).catch((error: unknown) => {
    throw folderDamaged({ folder }, error);
  });
  await writeFile(complete, '');
  return engine;
}

async function connect(engine: Engine): Promise<Client> {
  const client = new Client({
    stream: () => new PgliteWire(engine),
    user: 'postgres',
    database: 'postgres',
    types: pgTypes,
  });
  client.on('error', () => {});
  await client.connect();
  return client;
}

function embedded(client: Client, stack: AsyncDisposable): EmbeddedPostgres {
  const turns = new Semaphore(1, { maxWaiting: 10_000 });
  const holding = new AsyncLocalStorage<{ active: boolean }>();
  let current = '';

  const poolFor = (service: string): ConnectionPool => ({
    async connect(signal) {
      if (holding.getStore()?.active) {
        throw new Error(
          'Use the transaction that is open, not the database, inside of a transaction',
        );
      }
      const turn = await turns.acquire(signal);
      try {
        if (current !== service) {
          await run(client, `set role "${service}"; set search_path to "${service}", public`);
          current = service;
        }
        return lease(client, turn);
      } catch (error) {
        turn[Symbol.dispose]();
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {},
  });

  return {
    async database(name) {
      const service = serviceName(name);
      using _turn = await turns.acquire();
      current = '';
      await run(client, prepare(service));
      return createDatabase({
        service,
        pool: poolFor(service),
        whileOpen(work) {
          const mark = { active: true };
          return holding.run(mark, () =>
            work().finally(() => {
              mark.active = false;
            }),
          );
        },
      });
    },
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

function lease(client: Client, turn: Disposable): Connection {
  return {
    query: (text, values) => run(client, text, values),
    release(broken) {
      if (!broken) turn[Symbol.dispose]();
      // The one connection cannot be thrown away: undo what was left open, then let the next one in.
      else
        void run(client, 'rollback')
          .catch(() => {})
          .finally(() => turn[Symbol.dispose]());
    },
  };
}

async function run(client: Client, text: string, values?: readonly unknown[]) {
  try {
    return await (values ? client.query(text, [...values]) : client.query(text));
  } catch (error) {
    throw translateError(error);
  }
}

function prepare(service: string): string {
  return `reset role; reset search_path;
    do $$ begin
      if not exists (select from pg_roles where rolname = '${service}') then create role "${service}"; end if;
    end $$;
    create schema if not exists "${service}" authorization "${service}";`;
}
