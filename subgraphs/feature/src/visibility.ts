import { badUserInput } from '@opea/kernel/errors';
import type { Database } from '@opea/kernel/postgres';
import { sleep } from '@opea/kernel/resilience';
import { visiblePosition } from './change.ts';
import { notYetVisible } from './errors.ts';
import type { Tables } from './tables.ts';

const patienceMs = 5_000;
const pollMs = 50;

/** Waits until a change can be seen here. Throws NOT_YET_VISIBLE after 5 s, BAD_USER_INPUT for no position of ours. */
export async function awaitPosition(
  database: Database<Tables>,
  position: string,
  signal: AbortSignal,
): Promise<void> {
  if (!/^\d{1,19}$/.test(position))
    throw badUserInput({ reason: 'This position was not given out here.', field: 'atLeast' });
  for (let waitedMs = 0; waitedMs <= patienceMs; waitedMs += pollMs) {
    if ((await visiblePosition(database)) >= BigInt(position)) return;
    await sleep(pollMs, signal);
  }
  throw notYetVisible({ retryAfterMs: 1_000 });
}
