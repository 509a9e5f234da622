import { type QueryExecutorProvider, sql } from 'kysely';
import type { Clock } from '../clock/index.ts';
import { newId } from '../ids/index.ts';
import { sleep } from '../resilience/index.ts';
import type { BusMessage, ConsumeOptions } from './bus.ts';
import { defaultMaxDeliver, deliver, redeliveryPauseMs } from './delivery.ts';
import { type MessageLog, readRow } from './message-log.ts';

interface Progress {
  /** Everything up to here is handled. */
  cursor: number;
  /** How often the message `attempted` was delivered in vain. */
  attempted: number;
  attempts: number;
}

/** How many handled messages may be delivered again after a crash. */
const checkpointEvery = 32;

/** Delivers messages one by one and keeps count in the tables. `replays` wakes it for dead letters that are asked for again. */
export async function startConsumer(
  deps: { readonly db: QueryExecutorProvider; readonly log: MessageLog; readonly clock: Clock },
  options: ConsumeOptions,
): Promise<AsyncDisposable & { wake(): void }> {
  const { db, log, clock } = deps;
  const { durable, subjects, maxDeliver = defaultMaxDeliver } = options;
  const stop = new AbortController();
  const progress = await resume(db, options, log.lastSeq());
  let nudge = new AbortController();
  let unsaved = 0;
  let replays = true;
  const running = run();

  return {
    wake() {
      replays = true;
      nudge.abort();
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };

  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        nudge = new AbortController();
        await replay();
        const { messages, searchedTo } = await log.after(progress.cursor, subjects);
        for (const message of messages) {
          if (stop.signal.aborted) break;
          await handle(message);
        }
        if (!stop.signal.aborted) progress.cursor = searchedTo;
        if (unsaved > 0) await save();
        if (progress.cursor >= log.lastSeq()) {
          await log.change(AbortSignal.any([stop.signal, nudge.signal]));
        }
      } catch {
        // The tables did not answer; nothing was acknowledged. Try again.
        await sleep(200, stop.signal);
      }
    }
    if (unsaved > 0) await save().catch(() => {});
  }

  async function handle(message: BusMessage): Promise<void> {
    let deliveries = progress.attempted === message.seq ? progress.attempts : 0;
    for (;;) {
      deliveries += 1;
      const cause = await deliver({ ...message, deliveries }, options);
      if (cause === undefined) break;
      progress.attempted = message.seq;
      progress.attempts = deliveries;
      await save();
      if (deliveries >= maxDeliver) {
        await bury(message.seq, cause);
        break;
      }
      await sleep(redeliveryPauseMs(deliveries), stop.signal);
      if (stop.signal.aborted) return;
    }
    progress.cursor = message.seq;
    unsaved += 1;
    if (unsaved >= checkpointEvery) await save();
  }

  async function save(): Promise<void> {
    await sql`update consumers set cursor = ${progress.cursor}, attempted = ${progress.attempted},
      attempts = ${progress.attempts} where durable = ${durable}`.execute(db);
    unsaved = 0;
  }

  async function bury(seq: number, cause: string): Promise<void> {
    await sql`insert into dead_letters (id, durable, seq, cause, died_at)
      values (${newId()}, ${durable}, ${seq}, ${cause}, ${clock().toISOString()})`.execute(db);
  }

  /** Dead letters that somebody asked to deliver again: each once more, with a fresh count. */
  async function replay(): Promise<void> {
    if (!replays) return;
    replays = false;
    const { rows } = await sql<Parameters<typeof readRow>[0] & { letter: string }>`
      select m.*, d.id as letter from dead_letters d join messages m using (seq)
      where d.durable = ${durable} and d.replay order by d.died_at`.execute(db);
    for (const { letter, ...row } of rows) {
      let cause: string | undefined = 'stopped';
      for (let deliveries = 1; deliveries <= maxDeliver && cause !== undefined; deliveries += 1) {
        if (stop.signal.aborted) return;
        cause = await deliver({ ...readRow(row), deliveries }, options);
        if (cause !== undefined) await sleep(redeliveryPauseMs(deliveries), stop.signal);
      }
      await (cause === undefined
        ? sql`delete from dead_letters where id = ${letter}`
        : sql`update dead_letters set replay = false, cause = ${cause}, died_at = ${clock().toISOString()} where id = ${letter}`
      ).execute(db);
    }
  }
}

async function resume(
  db: QueryExecutorProvider,
  { durable, from = 'start' }: ConsumeOptions,
  lastSeq: number,
): Promise<Progress> {
  const { rows } = await sql<{ cursor: string; attempted: string; attempts: number }>`
    insert into consumers as c (durable, cursor) values (${durable}, ${from === 'start' ? 0 : lastSeq})
    on conflict (durable) do update set cursor = c.cursor returning cursor, attempted, attempts`.execute(
    db,
  );
  const row = rows[0];
  return {
    cursor: Number(row?.cursor ?? 0),
    attempted: Number(row?.attempted ?? 0),
    attempts: row?.attempts ?? 0,
  };
}
