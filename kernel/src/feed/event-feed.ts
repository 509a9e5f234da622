import { z } from 'zod';
import type { Bus, BusMessage } from '../bus/index.ts';
import { instantOf, parseInstant } from '../clock/index.ts';
import { badUserInput } from '../errors/index.ts';
import type { Logger } from '../log/index.ts';
import { decodeCursor, encodeCursor } from '../pagination/index.ts';

/** One event as the bus carries it, with the cursor to go on from. */
export interface FeedEvent {
  readonly id: string;
  /** The event's name and version, such as `registry.alias-moved.v1`. */
  readonly type: string;
  readonly at: Date;
  readonly actor: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly cursor: string;
}

export interface FeedOptions {
  readonly bus: Bus;
  readonly logger: Pick<Logger, 'error'>;
  readonly tenant: string;
  /** The types there are; a subscriber may ask for these alone. */
  readonly known: readonly string[];
  /** What the subscriber asked for; all when left out. */
  readonly types?: readonly string[] | null | undefined;
  /** A cursor of an earlier event; from now on when left out. */
  readonly after?: string | null | undefined;
  readonly signal: AbortSignal;
}

/**
 * A tenant's events in order, without a gap from the cursor on, until `signal` aborts.
 * Throws BAD_USER_INPUT at once for a type that there is not, or a cursor that is not ours.
 */
export function eventFeed(options: FeedOptions): AsyncIterable<FeedEvent> {
  const { bus, known, types, after, signal } = options;
  if (types?.some((type) => !known.includes(type)))
    throw badUserInput({ field: 'types', reason: `types may hold ${known.join(', ')}.` });
  const subjects = types ?? known;
  if (subjects.length === 0)
    throw badUserInput({ field: 'types', reason: 'types must hold at least one.' });
  return eventsOf(bus.read({ subjects, after: seqAfter(after), signal }), options);
}

async function* eventsOf(
  messages: AsyncIterable<BusMessage>,
  { tenant, logger }: FeedOptions,
): AsyncIterable<FeedEvent> {
  for await (const { seq, subject, data: message } of messages) {
    const parsed = envelope.safeParse(message);
    if (!parsed.success) {
      logger.error({ seq, subject }, 'a message on the bus is no event');
      continue;
    }
    const { id, occurredAt, actor, data } = parsed.data;
    if (parsed.data.tenant !== tenant) continue;
    const at = parseInstant(occurredAt) ?? instantOf(0);
    yield { id, type: subject, at, actor, data, cursor: encodeCursor([seq]) };
  }
}

const envelope = z.object({
  id: z.string(),
  occurredAt: z.iso.datetime(),
  tenant: z.string(),
  actor: z.string(),
  data: z.record(z.string(), z.unknown()),
});

function seqAfter(after: string | null | undefined): number | 'end' {
  const parts = decodeCursor(after);
  if (!parts) return 'end';
  const [seq] = parts;
  if (parts.length === 1 && typeof seq === 'number' && Number.isSafeInteger(seq) && seq >= 0)
    return seq;
  throw badUserInput({ field: 'after', reason: 'This cursor is not one of ours.' });
}
