import { hasCode } from '../errors/index.ts';
import { retry } from '../resilience/index.ts';
import type { Decider, Fact } from './decider.ts';
import type { EventMeta, EventStore, Position, StoredEvent, StreamId } from './event-store.ts';

export interface Loaded<State> {
  readonly state: State;
  /** 0: nothing happened yet. */
  readonly version: number;
  /** Of the last event; '0' when there is none. */
  readonly position: Position;
}

export interface Executed<State, Event extends Fact> extends Loaded<State> {
  /** What the command brought about; empty for a repeated one. */
  readonly events: readonly Event[];
}

export interface Repository<State, Command, Event extends Fact> {
  /** Loads, decides, appends; decides anew when somebody else was faster. Throws VERSION_CONFLICT after the last attempt. */
  execute(stream: StreamId, command: Command, meta: EventMeta): Promise<Executed<State, Event>>;
  /** The aggregate as it is, or as it was at `asOf`. */
  load(stream: StreamId, options?: { readonly asOf?: Date | undefined }): Promise<Loaded<State>>;
}

/** Runs a decider on stored streams. The store's events are this decider's own: their types are trusted, not checked again. */
export function repository<State, Command, Event extends Fact>(
  decider: Decider<State, Command, Event>,
  store: EventStore,
  { attempts = 8 }: { readonly attempts?: number } = {},
): Repository<State, Command, Event> {
  const load = async (
    stream: StreamId,
    { asOf }: { readonly asOf?: Date | undefined } = {},
  ): Promise<Loaded<State>> => {
    const events = await store.load(stream, { asOf });
    const last = events.at(-1);
    return {
      state: events.reduce(
        (state, event) => decider.evolve(state, event as StoredEvent & Event),
        decider.initial,
      ),
      version: last?.version ?? 0,
      position: last?.position ?? '0',
    };
  };
  const once = async (stream: StreamId, command: Command, meta: EventMeta) => {
    const loaded = await load(stream);
    const events = decider.decide(loaded.state, command);
    if (events.length === 0) return { ...loaded, events };
    const { version, position } = await store.append(stream, loaded.version, events, meta);
    const state = events.reduce((past, event) => decider.evolve(past, event), loaded.state);
    return { state, events, version, position };
  };

  return {
    load,
    execute: (stream, command, meta) =>
      retry(() => once(stream, command, meta), {
        attempts,
        baseMs: 5,
        maxMs: 100,
        isRetryable: (error) => hasCode(error, 'VERSION_CONFLICT'),
      }),
  };
}
