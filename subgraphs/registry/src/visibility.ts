import { badUserInput } from '@opea/kernel/errors';
import type { Position, Projection } from '@opea/kernel/events';
import { notYetVisible } from './errors.ts';

export interface Visibility {
  /** Resolves when reads show everything up to the position. Throws NOT_YET_VISIBLE after the deadline, BAD_USER_INPUT for no position. */
  waitFor(position: Position, signal: AbortSignal): Promise<void>;
  /** Resolves when reads show everything that has happened until now. */
  catchUp(signal: AbortSignal): Promise<void>;
}

export interface VisibilityOptions {
  readonly projection: Projection;
  readonly head: () => Promise<Position>;
  /** How long a read may wait. */
  readonly timeoutMs: number;
}

export function visibilityOf({ projection, head, timeoutMs }: VisibilityOptions): Visibility {
  const waitFor = async (position: Position, signal: AbortSignal) => {
    if (!/^\d{1,18}$/.test(position))
      throw badUserInput({ field: 'atLeast', reason: 'This is no position of ours.' });
    try {
      await projection.waitFor(position, { signal, timeoutMs });
    } catch (error) {
      if (signal.aborted) throw error;
      throw notYetVisible({ position, retryAfterMs: timeoutMs }, error);
    }
  };
  return { waitFor, catchUp: async (signal) => waitFor(await head(), signal) };
}
