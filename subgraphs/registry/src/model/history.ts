import { badUserInput } from '@opea/kernel/errors';
import type { EventStore, StoredEvent } from '@opea/kernel/events';
import { type Connection, clampFirst, connection, decodeCursor } from '@opea/kernel/pagination';
import { streamOf } from './model-commands.ts';
import type { HistorySource, ModelSource } from './model-source.ts';

export interface HistoryQuery {
  readonly tenant: string;
  readonly first: number | null | undefined;
  readonly after: string | null | undefined;
}

/** What happened to a model, oldest first, as its own stream tells it. */
export async function historyOf(
  store: EventStore,
  { name, asOf }: ModelSource,
  { tenant, first, after }: HistoryQuery,
): Promise<Connection<HistorySource>> {
  const page = clampFirst(first);
  const stored = await store.load(streamOf(tenant, name), {
    asOf,
    fromVersion: sequenceAfter(after) + 1,
  });
  const rows = stored.slice(0, page + 1).map(toSource);
  return connection({ rows, first: page, after, cursorOf: ({ sequence }) => [sequence] });
}

const toSource = ({ id, type, occurredAt, actor, version, data }: StoredEvent): HistorySource => ({
  id,
  type,
  at: occurredAt,
  actor,
  sequence: version,
  data,
});

function sequenceAfter(after: string | null | undefined): number {
  const sequence = decodeCursor(after)?.at(0) ?? 0;
  if (typeof sequence === 'number' && Number.isSafeInteger(sequence) && sequence >= 0)
    return sequence;
  throw badUserInput({ field: 'after', reason: 'This cursor is not one of ours.' });
}
