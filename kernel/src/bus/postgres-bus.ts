import { sql } from 'kysely';
import { type Clock, systemClock } from '../clock/index.ts';
import { notFound } from '../errors/index.ts';
import { openStack } from '../lifecycle/index.ts';
import type { EmbeddedPostgres } from '../postgres/index.ts';
import { interruptible } from '../resilience/index.ts';
import type { Bus, BusMessage, ConsumeOptions, DeadLetter, ReadOptions } from './bus.ts';
import { busMigrations } from './bus-tables.ts';
import { consumerStore } from './consumer-store.ts';
import { startConsumer } from './durable-consumer.ts';
import { type MessageLog, type MessageRow, openMessageLog, readRow } from './message-log.ts';

export interface PostgresBusOptions {
  readonly clock?: Clock;
}

/**
 * The embedded bus: JetStream's meaning on tables of the embedded PostgreSQL. Its folder belongs to one process, so delivery is woken
 * in memory and never polls. One durable name is consumed once at a time.
 */
export async function postgresBus(
  embedded: EmbeddedPostgres,
  { clock = systemClock }: PostgresBusOptions = {},
): Promise<Bus> {
  const database = await embedded.database('bus');
  await database.migrate(busMigrations);
  const db = database.query;
  const log = await openMessageLog(db, clock);
  const consumers = new Map<string, { wake(): void }>();
  const stopping = new AbortController();
  const stack = openStack();

  return {
    publish: (messages) => log.append(messages),
    lastSeq: async () => log.lastSeq(),
    read: (options) =>
      interruptible(
        (signal) => read(log, options, signal),
        AbortSignal.any([options.signal, stopping.signal]),
      ),

    async consume(options: ConsumeOptions) {
      const { durable } = options;
      if (consumers.has(durable)) throw new Error(`${durable} is being consumed already`);
      const consumer = await startConsumer(
        { store: consumerStore({ db, clock }, options), log },
        options,
      );
      consumers.set(durable, consumer);
      const handle = {
        async [Symbol.asyncDispose]() {
          await consumer[Symbol.asyncDispose]();
          if (consumers.get(durable) === consumer) consumers.delete(durable);
        },
      };
      return stack.use(handle);
    },

    async deadLetters({ durable, limit }) {
      const { rows } = await sql<LetterRow>`
        select m.*, d.id as letter, d.cause, d.died_at from dead_letters d join messages m using (seq)
        where d.durable = ${durable} order by d.died_at, d.id limit ${limit}`.execute(db);
      return rows.map(
        ({ letter, cause, died_at, ...row }): DeadLetter => ({
          id: letter,
          durable,
          message: readRow(row),
          cause,
          diedAt: died_at,
        }),
      );
    },

    async replayDeadLetter(id) {
      const { rows } = await sql<{
        durable: string;
      }>`update dead_letters set replay = true where id::text = ${id} returning durable`.execute(
        db,
      );
      const [letter] = rows;
      if (!letter) throw notFound({ kind: 'dead letter' });
      consumers.get(letter.durable)?.wake();
    },

    async [Symbol.asyncDispose]() {
      stopping.abort();
      await stack[Symbol.asyncDispose]();
    },
  };
}

type LetterRow = MessageRow & {
  readonly letter: string;
  readonly cause: string;
  readonly died_at: string;
};

async function* read(
  log: MessageLog,
  { subjects, after = 'end' }: ReadOptions,
  signal: AbortSignal,
): AsyncGenerator<BusMessage, void, void> {
  let seq = typeof after === 'number' ? after : after === 'start' ? 0 : log.lastSeq();
  while (!signal.aborted) {
    const { messages, searchedTo } = await log.after(seq, subjects);
    for (const message of messages) {
      if (signal.aborted) return;
      yield message;
    }
    seq = Math.max(seq, searchedTo);
    if (seq >= log.lastSeq()) await log.change(signal);
  }
}
