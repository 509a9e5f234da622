import { z } from 'zod';

/** What of a ModelVersion tells whether it serves. */
export const servingFields = 'state serving { state reason }';

export const servingShape = {
  state: z.string(),
  serving: z.object({ state: z.string(), reason: z.string().nullable() }),
};

export type Serving = z.output<z.ZodObject<typeof servingShape>>;

/**
 * Whether a request would be answered. A version that is not in memory counts: the request loads it, and a client that
 * waited for it to be loaded first would wait for ever.
 */
export const answersRequests = ({ state, serving }: Serving): boolean =>
  state === 'PUBLISHED' && (serving.state === 'READY' || serving.state === 'UNLOADED');
