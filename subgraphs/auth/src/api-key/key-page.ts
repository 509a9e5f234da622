import { instantOf } from '@opea/kernel/clock';
import { badUserInput } from '@opea/kernel/errors';
import { type Connection, clampFirst, connection, decodeCursor } from '@opea/kernel/pagination';
import { policy } from '@opea/schema/policy';
import type { Context } from '../context.ts';
import type { ApiKeySource } from './api-key-store.ts';

/** A principal's keys, newest first; none for whoever may not see them. */
export async function keysOf(
  { viewer, reader }: Pick<Context, 'viewer' | 'reader'>,
  principalId: string,
  { first, after }: { readonly first?: number | null; readonly after?: string | null },
): Promise<Connection<ApiKeySource>> {
  const page = clampFirst(first);
  const before = pointBefore(after);
  const resource = { tenant: viewer.tenant, ownerId: principalId };
  const rows = policy.allows(viewer, 'api-key:read', resource)
    ? await reader.keysOf({ principalId, limit: page + 1, before })
    : [];
  return connection({ rows, first: page, after, cursorOf });
}

const cursorOf = ({ createdAt, id }: ApiKeySource) => [createdAt.getTime(), id];

function pointBefore(after: string | null | undefined) {
  const parts = decodeCursor(after);
  if (!parts) return undefined;
  const [ms, id] = parts;
  if (parts.length === 2 && typeof ms === 'number' && typeof id === 'string')
    return { createdAt: instantOf(ms), id };
  throw badUserInput({ field: 'after', reason: 'This cursor is not one of ours.' });
}
