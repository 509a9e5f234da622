import { LRUCache } from 'lru-cache';

import type { EntityMemory } from '../execution/execute-plan.ts';

export interface EntityMemoryOptions {
  /** @default 1_000 */
  readonly maxEntities?: number;
  /** How long an entity counts as fresh. @default 10_000 */
  readonly maxAgeMs?: number;
}

/** What one stream knows of the entities its events lead to. */
export function entityMemory(options: EntityMemoryOptions = {}): EntityMemory {
  const { maxEntities = 1_000, maxAgeMs = 10_000 } = options;
  const entities = new LRUCache<string, Record<string, unknown>>({
    max: maxEntities,
    ttl: maxAgeMs,
  });
  return {
    get: (key) => entities.get(key),
    set: (key, entity) => void entities.set(key, entity),
  };
}
