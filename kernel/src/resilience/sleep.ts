import { setTimeout as wait } from 'node:timers/promises';

/** Waits that many milliseconds, or until `signal` aborts; says nothing about which. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  await wait(ms, undefined, signal ? { signal } : {}).catch(() => {});
}
