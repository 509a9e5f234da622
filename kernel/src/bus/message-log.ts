import { type QueryExecutorProvider, sql } from 'kysely';
import { type Clock, systemClock } from '../clock/index.ts';
import { Semaphore } from '../resilience/index.ts';
import type { BusMessage, NewMessage, Published } from './bus.ts';
import { toRegex } from './patterns.ts';
import { matchSubjects } from './subject.ts';

/** All messages in order; the newest also in memory, so that live delivery needs no query. */
export interface MessageLog {
  append(messages: readonly NewMessage[]): Promise<readonly Published[]>;
  /** The next messages after a seq that match, oldest first, and how far the log was searched. */
  after(
    seq: number,
    subjects: readonly string[],
  ): Promise<{ readonly messages: readonly BusMessage[]; readonly searchedTo: number }>;
  lastSeq(): number;
  /** Resolves with the next append, or when `signal` aborts. */
  change(signal: AbortSignal): Promise<void>;
}

/** A row of the table `messages`. */
export interface MessageRow {
  readonly seq: string;
  readonly id: string;
  readonly subject: string;
  readonly data: unknown;
  readonly headers: Readonly<Record<string, string>>;
  readonly published_at: string;
}

const recentMax = 4_096;
const page = 256;

export async function openMessageLog(
  db: QueryExecutorProvider,
  clock: Clock = systemClock,
): Promise<MessageLog> {
  const appending = new Semaphore(1);
  const listeners = new Set<() => void>();
  const recent: BusMessage[] = [];
  const { rows } = await sql<{
    last: string;
  }>`select coalesce(max(seq), 0) as last from messages`.execute(db);
  let last = Number(rows[0]?.last ?? 0);

  async function append(messages: readonly NewMessage[]): Promise<readonly Published[]> {
    const ids = messages.map(({ id }) => id);
    const known = await sql<{
      id: string;
      seq: string;
    }>`select id, seq from messages where id = any(${ids}::text[])`.execute(db);
    const seqs = new Map(known.rows.map(({ id, seq }) => [id, Number(seq)]));
    const fresh: BusMessage[] = [];
    const published = messages.map((message) => {
      const seq = seqs.get(message.id);
      if (seq !== undefined) return { seq, duplicate: true };
      const kept = messageOf(message, last + fresh.length + 1, clock().toISOString());
      fresh.push(kept);
      seqs.set(message.id, kept.seq);
      return { seq: kept.seq, duplicate: false };
    });
    if (fresh.length > 0) {
      await sql`insert into messages (seq, id, subject, data, headers, published_at)
        select seq, id, subject, data, headers, published_at
        from jsonb_to_recordset(${JSON.stringify(fresh.map(rowOf))}::jsonb) as r(
          seq bigint, id text, subject text, data jsonb, headers jsonb, published_at text)`.execute(
        db,
      );
      last += fresh.length;
      recent.push(...fresh);
      if (recent.length > recentMax * 2) recent.splice(0, recent.length - recentMax);
      for (const wake of listeners) wake();
    }
    return published;
  }

  return {
    lastSeq: () => last,
    append: (messages) =>
      messages.length === 0 ? Promise.resolve([]) : appending.run(() => append(messages)),

    async after(seq, subjects) {
      const oldest = recent[0];
      if (seq >= last) return { messages: [], searchedTo: last };
      if (oldest && oldest.seq <= seq + 1) {
        const window = recent.slice(seq + 1 - oldest.seq, seq + 1 - oldest.seq + page);
        const matches = matchSubjects(subjects);
        return {
          messages: window.filter(({ subject }) => matches(subject)),
          searchedTo: window.at(-1)?.seq ?? seq,
        };
      }
      const newest = last;
      const found = await sql<MessageRow>`select * from messages
        where seq > ${seq} and seq <= ${newest} and subject ~ ${toRegex(subjects)}
        order by seq limit ${page}`.execute(db);
      const messages = found.rows.map(readRow);
      const full = messages.length === page;
      return { messages, searchedTo: full ? (messages.at(-1)?.seq ?? newest) : newest };
    },

    change(signal) {
      return new Promise((resolve) => {
        const done = () => {
          listeners.delete(done);
          signal.removeEventListener('abort', done);
          resolve();
        };
        listeners.add(done);
        signal.addEventListener('abort', done, { once: true });
        if (signal.aborted) done();
      });
    },
  };
}

export function readRow(row: MessageRow): BusMessage {
  const { seq, id, subject, data, headers, published_at } = row;
  return { seq: Number(seq), id, subject, data, headers, publishedAt: published_at, deliveries: 1 };
}

/** As a reader will see it: what JSON leaves of the data. */
function messageOf(message: NewMessage, seq: number, publishedAt: string): BusMessage {
  const { id, subject, data, headers = {} } = message;
  const kept: unknown = data === undefined ? null : JSON.parse(JSON.stringify(data));
  return { seq, id, subject, data: kept, headers, publishedAt, deliveries: 1 };
}

function rowOf({ publishedAt, ...message }: BusMessage) {
  return { ...message, published_at: publishedAt };
}
