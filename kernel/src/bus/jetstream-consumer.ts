import {
  AckPolicy,
  DeliverPolicy,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import type { Clock } from '../clock/index.ts';
import { newId } from '../ids/index.ts';
import type { ConsumeOptions } from './bus.ts';
import { defaultMaxDeliver, deliver, redeliveryPauseMs } from './delivery.ts';
import { messageOf } from './jetstream-message.ts';
import type { StreamNames } from './jetstream-stream.ts';

interface Deps {
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly names: StreamNames;
  readonly clock: Clock;
}

/**
 * A durable pull consumer that has one message in flight, so that order holds also when one is delivered again. The server counts
 * deliveries; giving up is ours, so that a message never disappears without its dead letter.
 */
export async function startJetstreamConsumer(
  deps: Deps,
  options: ConsumeOptions,
): Promise<AsyncDisposable> {
  const { client, names } = deps;
  await ensureConsumer(deps, options);
  const consumer = await client.consumers.get(names.stream, options.durable);
  const messages = await consumer.consume({ max_messages: 64 });
  let stopped = false;

  const running = (async () => {
    for await (const received of messages) {
      if (stopped) return;
      await handle(received);
    }
  })().catch(() => {});

  async function handle(received: JsMsg): Promise<void> {
    const message = messageOf(received, names);
    const { maxDeliver = defaultMaxDeliver } = options;
    const cause =
      message.deliveries > maxDeliver
        ? 'The process ended while it handled this message'
        : await deliver(message, options);
    if (cause === undefined) {
      received.ack();
    } else if (message.deliveries < maxDeliver) {
      received.nak(redeliveryPauseMs(message.deliveries));
    } else {
      const letter = {
        durable: options.durable,
        cause,
        diedAt: deps.clock().toISOString(),
        message,
      };
      await client.publish(names.deadLetter(options.durable), JSON.stringify(letter), {
        msgID: newId(),
      });
      received.term();
    }
  }

  return {
    async [Symbol.asyncDispose]() {
      stopped = true;
      await messages.close();
      await running;
    },
  };
}

async function ensureConsumer({ manager, names }: Deps, options: ConsumeOptions): Promise<void> {
  const { durable, subjects, ackWaitMs = 30_000, from = 'start' } = options;
  const changeable = {
    filter_subjects: [...names.filters(subjects), names.replay(durable)],
    // The handler's own deadline comes first; the server's is for a process that died.
    ack_wait: nanos(ackWaitMs + 5_000),
    max_deliver: -1,
    max_ack_pending: 1,
  };
  const exists = await manager.consumers.info(names.stream, durable).then(
    () => true,
    () => false,
  );
  if (exists) await manager.consumers.update(names.stream, durable, changeable);
  else {
    await manager.consumers.add(names.stream, {
      ...changeable,
      durable_name: durable,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: from === 'start' ? DeliverPolicy.All : DeliverPolicy.New,
    });
  }
}
