import { abortable } from '../resilience/index.ts';
import type { BusMessage, ConsumeOptions } from './bus.ts';

/** Hands one message to a handler for at most `ackWaitMs`. Gives why it failed, or `undefined` when it did not. */
export async function deliver(
  message: BusMessage,
  { handle, ackWaitMs = 30_000 }: Pick<ConsumeOptions, 'handle' | 'ackWaitMs'>,
): Promise<string | undefined> {
  const aborter = new AbortController();
  const timer = setTimeout(() => {
    aborter.abort(new Error(`not handled within ${ackWaitMs} ms`));
  }, ackWaitMs);
  try {
    await abortable((async () => handle(message, aborter.signal))(), aborter.signal);
    return undefined;
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  } finally {
    clearTimeout(timer);
  }
}

/** The pause before the next delivery of a message that failed `deliveries` times: 20 ms, doubling, to 1 s. */
export const redeliveryPauseMs = (deliveries: number): number =>
  Math.min(1_000, 20 * 2 ** (deliveries - 1));

export const defaultMaxDeliver = 5;
