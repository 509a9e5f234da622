import { sleep } from '../resilience/index.ts';
import type { BusMessage, ConsumeOptions } from './bus.ts';
import type { ConsumerStore } from './consumer-store.ts';
import { defaultMaxDeliver, deliver, redeliveryPauseMs } from './delivery.ts';
import type { MessageLog } from './message-log.ts';

export interface DurableConsumer extends AsyncDisposable {
  /** Looks for dead letters that are asked for again. */
  wake(): void;
}

/** How many handled messages may be delivered again after a crash. */
const checkpointEvery = 32;

/** Delivers messages one by one and keeps count in the tables. */
export async function startConsumer(
  { store, log }: { readonly store: ConsumerStore; readonly log: MessageLog },
  options: ConsumeOptions,
): Promise<DurableConsumer> {
  const { subjects, maxDeliver = defaultMaxDeliver } = options;
  const stop = new AbortController();
  let progress = await store.resume(log.lastSeq());
  let nudge = new AbortController();
  let unsaved = 0;
  let replaysWait = true;
  const running = run();

  return {
    wake() {
      replaysWait = true;
      nudge.abort();
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };

  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        nudge = new AbortController();
        await replay();
        await step();
        if (progress.cursor >= log.lastSeq()) {
          await log.change(AbortSignal.any([stop.signal, nudge.signal]));
        }
      } catch {
        // The tables did not answer; nothing was acknowledged. Try again.
        await sleep(200, stop.signal);
      }
    }
    if (unsaved > 0) await save().catch(() => {});
  }

  async function step(): Promise<void> {
    const { messages, searchedTo } = await log.after(progress.cursor, subjects);
    for (const message of messages) {
      if (stop.signal.aborted) return;
      await handle(message);
    }
    if (!stop.signal.aborted) progress = { ...progress, cursor: searchedTo };
    if (unsaved > 0) await save();
  }

  async function handle(message: BusMessage): Promise<void> {
    const before = progress.attempted === message.seq ? progress.attempts : 0;
    for (let deliveries = before + 1; ; deliveries += 1) {
      const cause = await deliver({ ...message, deliveries }, options);
      if (cause === undefined) break;
      progress = { ...progress, attempted: message.seq, attempts: deliveries };
      await save();
      if (deliveries >= maxDeliver) {
        await store.bury(message.seq, cause);
        break;
      }
      await sleep(redeliveryPauseMs(deliveries), stop.signal);
      if (stop.signal.aborted) return;
    }
    progress = { ...progress, cursor: message.seq };
    unsaved += 1;
    if (unsaved >= checkpointEvery) await save();
  }

  async function save(): Promise<void> {
    await store.save(progress);
    unsaved = 0;
  }

  /** Each letter is delivered with a fresh count. */
  async function replay(): Promise<void> {
    if (!replaysWait) return;
    replaysWait = false;
    for (const letter of await store.replays()) {
      let cause: string | undefined;
      for (let deliveries = 1; deliveries <= maxDeliver; deliveries += 1) {
        if (stop.signal.aborted) return;
        cause = await deliver({ ...letter.message, deliveries }, options);
        if (cause === undefined) break;
        await sleep(redeliveryPauseMs(deliveries), stop.signal);
      }
      await store.settle(letter, cause);
    }
  }
}
