import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { answers } from '../errors.ts';
import type { Caller } from '../identity/caller.ts';
import { isRecord } from './params.ts';

export interface PersistedQueries {
  /**
   * The text of a request: as sent, or as remembered under its hash. Throws
   * PERSISTED_QUERY_NOT_FOUND for an unknown hash, PERSISTED_QUERY_MISMATCH for a wrong one.
   */
  resolve(
    query: string | undefined,
    extensions: Readonly<Record<string, unknown>>,
    caller: Caller,
  ): string;
}

/** Apollo's automatic persisted queries, in a bounded store that only known callers fill. */
export function persistedQueries({ maxBytes }: { readonly maxBytes: number }): PersistedQueries {
  const known = new LRUCache<string, string>({
    maxSize: maxBytes,
    sizeCalculation: (query) => query.length + 100,
  });

  return {
    resolve(query, { persistedQuery }, caller) {
      if (persistedQuery === undefined || persistedQuery === null) {
        if (query === undefined) throw answers.BAD_REQUEST();
        return query;
      }
      const hash = hashIn(persistedQuery);
      if (query === undefined) {
        const found = known.get(hash);
        if (found === undefined) throw answers.PERSISTED_QUERY_NOT_FOUND();
        return found;
      }
      if (createHash('sha256').update(query).digest('hex') !== hash)
        throw answers.PERSISTED_QUERY_MISMATCH();
      if (caller.kind !== 'anonymous') known.set(hash, query);
      return query;
    },
  };
}

function hashIn(value: unknown): string {
  const { version, sha256Hash } = isRecord(value) ? value : {};
  if (version !== 1 || typeof sha256Hash !== 'string' || !/^[0-9a-f]{64}$/.test(sha256Hash))
    throw answers.BAD_REQUEST();
  return sha256Hash;
}
