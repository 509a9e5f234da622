import { type QueryExecutorProvider, sql } from 'kysely';
import type { Clock } from '../clock/index.ts';
import { newId } from '../ids/index.ts';
import type { BusMessage, ConsumeOptions } from './bus.ts';
import { type MessageRow, readRow } from './message-log.ts';

/** How far a durable consumer is. */
export interface Progress {
  /** Everything up to here is handled. */
  readonly cursor: number;
  /** How often the message `attempted` was delivered in vain. */
  readonly attempted: number;
  readonly attempts: number;
}

export interface Letter {
  readonly id: string;
  readonly message: BusMessage;
}

/** What the tables know of one durable consumer. */
export interface ConsumerStore {
  /** Where it stopped; a new one begins at `lastSeq` or at the start. */
  resume(lastSeq: number): Promise<Progress>;
  save(progress: Progress): Promise<void>;
  bury(seq: number, cause: string): Promise<void>;
  /** Dead letters that somebody asked to deliver again. */
  replays(): Promise<readonly Letter[]>;
  /** Removes a letter that was handled, or keeps it with its new cause. */
  settle(letter: Letter, cause: string | undefined): Promise<void>;
}

export function consumerStore(
  { db, clock }: { readonly db: QueryExecutorProvider; readonly clock: Clock },
  { durable, from = 'start' }: Pick<ConsumeOptions, 'durable' | 'from'>,
): ConsumerStore {
  return {
    async resume(lastSeq) {
      const { rows } = await sql<{ cursor: string; attempted: string; attempts: number }>`
        insert into consumers as c (durable, cursor) values (${durable}, ${from === 'start' ? 0 : lastSeq})
        on conflict (durable) do update set cursor = c.cursor
        returning cursor, attempted, attempts`.execute(db);
      const { cursor = 0, attempted = 0, attempts = 0 } = rows[0] ?? {};
      return { cursor: Number(cursor), attempted: Number(attempted), attempts };
    },

    async save({ cursor, attempted, attempts }) {
      await sql`update consumers set cursor = ${cursor}, attempted = ${attempted}, attempts = ${attempts}
        where durable = ${durable}`.execute(db);
    },

    async bury(seq, cause) {
      await sql`insert into dead_letters (id, durable, seq, cause, died_at)
        values (${newId()}, ${durable}, ${seq}, ${cause}, ${clock().toISOString()})`.execute(db);
    },

    async replays() {
      const { rows } = await sql<MessageRow & { letter: string }>`
        select m.*, d.id as letter from dead_letters d join messages m using (seq)
        where d.durable = ${durable} and d.replay order by d.died_at`.execute(db);
      return rows.map(({ letter, ...row }) => ({ id: letter, message: readRow(row) }));
    },

    async settle({ id }, cause) {
      const change =
        cause === undefined
          ? sql`delete from dead_letters where id = ${id}`
          : sql`update dead_letters set replay = false, cause = ${cause}, died_at = ${clock().toISOString()}
              where id = ${id}`;
      await change.execute(db);
    },
  };
}
