import { type Kysely, sql } from 'kysely';
import type { Logger } from '../log/index.ts';
import type { Database } from '../postgres/index.ts';
import { loop } from '../resilience/index.ts';
import {
  forgetFailures,
  lockCheckpoint,
  moveCheckpoint,
  noteFailure,
  readCheckpoint,
} from './checkpoint.ts';
import type { EventStore, Position, StoredEvent } from './event-store.ts';
import { eventsTopic } from './open-event-store.ts';
import { PositionGate, type WaitOptions } from './position-gate.ts';

export interface ProjectionOptions<DB> {
  /** Under this name its progress is kept. */
  readonly name: string;
  readonly store: EventStore;
  readonly database: Database<DB>;
  readonly logger: Logger;
  /** Writes what an event means into the read model: in the transaction of the checkpoint, with the event's tenant set. */
  readonly handle: (tx: Kysely<DB>, event: StoredEvent) => Promise<void>;
  /** Empties the read model, for `rebuild` (`truncate` is not held up by row level security). */
  readonly reset?: (tx: Kysely<DB>) => Promise<void>;
  /** Only events of these types. */
  readonly types?: readonly string[];
  /** How often to look without being told; default 1,000 ms. */
  readonly pollMs?: number;
}

export interface Projection extends AsyncDisposable {
  /** Resolves when the read model holds everything up to there. Throws DEADLINE_EXCEEDED, CANCELLED. */
  waitFor(position: Position, options?: WaitOptions): Promise<void>;
  position(): Promise<Position>;
  /** Empties the read model and fills it from the first event; resolves when it has caught up with the head of now. */
  rebuild(): Promise<void>;
}

const batch = 500;
const attempts = 5;

/**
 * Keeps a read model up with the store, each event exactly once. Several projectors of one name may run: one of them advances.
 * An event whose handling fails five times is noted in `projection_failures`, with its cause, and the next ones follow.
 */
export function projection<DB>(options: ProjectionOptions<DB>): Projection {
  const { name, store, database, logger, reset, types, pollMs = 1_000 } = options;
  const gate = new PositionGate();
  const apply = applier(options);
  let stuck = { at: '0', failures: 0 };

  const runner = loop({
    name: `projection ${name}`,
    logger,
    pollMs,
    async step() {
      const from = await readCheckpoint(database.query, name);
      const head = types && (await store.head());
      const events = await store.readAll({ after: from, limit: batch, ...(types && { types }) });
      const last = events.at(-1)?.position;
      if (last !== undefined && !(await applyAll(events, from, last))) return 'busy';
      gate.arrive(head !== undefined && events.length < batch ? head : (last ?? from));
      return last === undefined ? 'idle' : 'busy';
    },
  });
  const subscription = database.signals.on(eventsTopic, () => runner.wake());

  /** Says false when another projector was faster. */
  async function applyAll(events: readonly StoredEvent[], from: Position, last: Position) {
    try {
      return await apply(events, from, last);
    } catch (error) {
      if (events.length === 1) return setAside(events[0], from, error);
      let before = from;
      for (const event of events) {
        const done = await applyAll([event], before, event.position);
        if (!done) return false;
        before = event.position;
      }
      return true;
    }
  }

  async function setAside(event: StoredEvent | undefined, from: Position, error: unknown) {
    if (!event) return true;
    const { position, type } = event;
    stuck = { at: position, failures: stuck.at === position ? stuck.failures + 1 : 1 };
    if (stuck.failures < attempts) throw error;
    logger.error({ err: error, projection: name, position, type }, 'event set aside');
    await database.transaction((tx) => noteFailure(tx, { name, position, cause: String(error) }));
    return apply([], from, position);
  }

  return {
    waitFor(position, wait) {
      runner.wake();
      return gate.reached(position, wait);
    },
    position: () => readCheckpoint(database.query, name),
    async rebuild() {
      const head = await store.head();
      await database.transaction(async (tx) => {
        await lockCheckpoint(tx, name);
        await reset?.(tx);
        await forgetFailures(tx, name);
        await moveCheckpoint(tx, name, '0');
      });
      gate.arrive('0');
      runner.wake();
      await gate.reached(head, { timeoutMs: 3_600_000 });
    },
    async [Symbol.asyncDispose]() {
      subscription[Symbol.dispose]();
      await runner[Symbol.asyncDispose]();
    },
  };
}

/** Handles events and moves the checkpoint from `from` to `to`, in one transaction; false when it is not at `from` any more. */
function applier<DB>({ name, database, handle }: ProjectionOptions<DB>) {
  return (events: readonly StoredEvent[], from: Position, to: Position): Promise<boolean> =>
    database.transaction(async (tx) => {
      if ((await lockCheckpoint(tx, name)) !== from) return false;
      let tenant: string | undefined;
      for (const event of events) {
        if (event.stream.tenant !== tenant) {
          tenant = event.stream.tenant;
          await sql`select set_config('opea.tenant', ${tenant}, true)`.execute(tx);
        }
        await handle(tx, event);
      }
      await moveCheckpoint(tx, name, to);
      return true;
    });
}
