import { createHash } from 'node:crypto';
import type { EventMeta, StreamId } from './event-store.ts';

/** What the hash of an event covers: everything that was said, and the hash of the event before it. */
export interface Link extends EventMeta {
  readonly id: string;
  readonly stream: StreamId;
  readonly version: number;
  readonly type: string;
  readonly schemaVersion: number;
  readonly data: unknown;
  readonly occurredAt: Date;
}

export const chainStart = '';

/** SHA-256 over the previous hash and the event in canonical JSON (keys sorted): 64 hex digits. */
export function hashOf(previous: string, link: Link): string {
  const { id, stream, version, type, schemaVersion, data, actor, correlationId, causationId } =
    link;
  const said = [
    previous,
    id,
    [stream.tenant, stream.type, stream.id],
    version,
    type,
    schemaVersion,
    data,
    [actor, correlationId, causationId],
    link.occurredAt.toISOString(),
  ];
  return createHash('sha256')
    .update(JSON.stringify(canonical(said)))
    .digest('hex');
}

/** The same value with the keys of every object in order, so that a store may reorder them. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? 0 : value;
  const entries = Object.entries(value).map(([key, inner]) => [key, canonical(inner)] as const);
  return entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
}
