import { defineEvent } from '@opea/kernel/events';
import { z } from 'zod';

export const viewApplied = defineEvent('feature.view-applied', 1, {
  name: z.string(),
  version: z.int().positive(),
  entities: z.array(z.string()),
  fields: z.array(z.object({ name: z.string(), type: z.string() })),
  ttlMs: z.int().positive().nullable(),
});

export const valuesWritten = defineEvent('feature.values-written', 1, {
  view: z.string(),
  version: z.int().positive(),
  rows: z.int().nonnegative(),
  /** At most 1,000 entity keys, for caches; null when the write touched more. */
  entities: z.array(z.record(z.string(), z.string())).nullable(),
  /** The newest instant written. */
  watermark: z.iso.datetime(),
});

export const vectorsUpserted = defineEvent('feature.vectors-upserted', 1, {
  index: z.string(),
  keys: z.int().nonnegative(),
});
