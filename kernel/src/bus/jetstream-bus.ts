import {
  DeliverPolicy,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
} from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { type Clock, systemClock } from '../clock/index.ts';
import type { Secret } from '../config/index.ts';
import { notFound, PlatformError, unavailable } from '../errors/index.ts';
import { newId } from '../ids/index.ts';
import { openStack } from '../lifecycle/index.ts';
import { interruptible } from '../resilience/index.ts';
import type { Bus, BusMessage, DeadLetter, NewMessage, ReadOptions } from './bus.ts';
import { startJetstreamConsumer } from './jetstream-consumer.ts';
import { headersOf, messageOf, replayHeaders } from './jetstream-message.ts';
import { contexts, ensureStreams, type StreamNames, streamNames } from './jetstream-stream.ts';

export interface JetstreamBusOptions {
  /** `nats://host:port`, one or several of a cluster. A URL may carry credentials. */
  readonly servers: string | readonly string[];
  readonly credentials?: { readonly user: string; readonly password: Secret | string };
  /** Keeps several platforms on one server apart. */
  readonly prefix?: string;
  /** Copies of each message in a cluster; default 1. */
  readonly replicas?: number;
  /** What the stream takes in; by default the facts of all contexts. */
  readonly subjects?: readonly string[];
  readonly clock?: Clock;
}

/** The bus on NATS JetStream (server 2.10 or newer). Reconnects by itself; while it is gone, publishing is UNAVAILABLE. */
export async function jetstreamBus(options: JetstreamBusOptions): Promise<Bus> {
  const { replicas = 1, clock = systemClock } = options;
  const subjects = options.subjects ?? contexts.map((context) => `${context}.>`);
  const names = streamNames(options.prefix, subjects);
  const connection = await answered(open(options));
  const manager = await answered(jetstreamManager(connection));
  const client = jetstream(connection);
  await answered(ensureStreams(manager, names, { replicas, subjects }));
  const stack = openStack();
  const stopping = new AbortController();

  return {
    publish: (messages) =>
      answered(Promise.all(messages.map((message) => publish(client, names, message)))),

    async consume(consume) {
      return stack.use(
        await answered(startJetstreamConsumer({ client, manager, names, clock }, consume)),
      );
    },

    read: (read) =>
      interruptible(
        (signal) => follow(client, names, read, signal),
        AbortSignal.any([read.signal, stopping.signal]),
      ),

    async lastSeq() {
      return (await answered(manager.streams.info(names.stream))).state.last_seq;
    },

    deadLetters: ({ durable, limit }) => answered(deadLetters(manager, names, { durable, limit })),

    async replayDeadLetter(id) {
      const seq = Number(/^d(\d+)$/.exec(id)?.[1]);
      const stored = Number.isSafeInteger(seq) ? await letterAt(manager, names, seq) : undefined;
      if (!stored) throw notFound({ kind: 'dead letter' });
      const { durable, message } = stored;
      await answered(
        client.publish(names.replay(durable), JSON.stringify(message.data), {
          msgID: newId(),
          headers: replayHeaders(message),
        }),
      );
      await answered(manager.streams.deleteMessage(names.dead, seq));
    },

    async [Symbol.asyncDispose]() {
      stopping.abort();
      await stack[Symbol.asyncDispose]();
      await connection.drain().catch(() => connection.close());
    },
  };
}

function open({ servers, credentials }: JetstreamBusOptions): Promise<NatsConnection> {
  const list = typeof servers === 'string' ? [servers] : servers;
  const first = URL.canParse(list[0] ?? '') ? new URL(list[0] ?? '') : undefined;
  const inUrl = first?.username
    ? { user: decodeURIComponent(first.username), pass: decodeURIComponent(first.password) }
    : {};
  const given = credentials && {
    user: credentials.user,
    pass:
      typeof credentials.password === 'string'
        ? credentials.password
        : credentials.password.reveal(),
  };
  return connect({
    servers: list.map((server) => (URL.canParse(server) ? new URL(server).host : server)),
    name: 'opea',
    maxReconnectAttempts: -1,
    reconnectTimeWait: 500,
    timeout: 5_000,
    ...inUrl,
    ...given,
  });
}

async function publish(client: JetStreamClient, names: StreamNames, message: NewMessage) {
  const { seq, duplicate } = await client.publish(
    names.subject(message.subject),
    JSON.stringify(message.data ?? null),
    { msgID: message.id, headers: headersOf(message), timeout: 5_000 },
  );
  return { seq, duplicate };
}

async function* follow(
  client: JetStreamClient,
  names: StreamNames,
  { subjects, after = 'end' }: ReadOptions,
  signal: AbortSignal,
): AsyncGenerator<BusMessage, void, void> {
  const consumer = await answered(
    client.consumers.get(names.stream, {
      filter_subjects: [...names.filters(subjects)],
      ...startOf(after),
    }),
  );
  const messages = await answered(consumer.consume({ max_messages: 256 }));
  const stop = () => void messages.close();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    for await (const received of messages) {
      if (signal.aborted) return;
      yield { ...messageOf(received, names), deliveries: 1 };
    }
  } finally {
    signal.removeEventListener('abort', stop);
    void messages.close();
  }
}

function startOf(after: number | 'start' | 'end') {
  if (after === 'start') return { deliver_policy: DeliverPolicy.All };
  if (after === 'end') return { deliver_policy: DeliverPolicy.New };
  return { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: after + 1 };
}

const letterBody = z.object({
  durable: z.string(),
  cause: z.string(),
  diedAt: z.string(),
  message: z.object({
    seq: z.number(),
    subject: z.string(),
    id: z.string(),
    data: z.unknown(),
    headers: z.record(z.string(), z.string()),
    publishedAt: z.string(),
    deliveries: z.number(),
  }),
});

async function letterAt(
  manager: JetStreamManager,
  names: StreamNames,
  seq: number,
): Promise<DeadLetter | undefined> {
  const stored = await answered(manager.streams.getMessage(names.dead, { seq })).catch(() => null);
  if (stored === null) return undefined;
  const body = letterBody.parse(stored.json());
  return { ...body, message: { ...body.message, data: body.message.data }, id: `d${seq}` };
}

async function deadLetters(
  manager: JetStreamManager,
  names: StreamNames,
  { durable, limit }: { readonly durable: string; readonly limit: number },
): Promise<readonly DeadLetter[]> {
  const letters: DeadLetter[] = [];
  const subject = names.deadLetter(durable);
  for (let seq = 1; letters.length < limit; ) {
    const stored = await manager.direct
      .getMessage(names.dead, { seq, next_by_subj: subject })
      .catch(() => null);
    if (stored === null) return letters;
    const letter = await letterAt(manager, names, stored.seq);
    if (letter) letters.push(letter);
    seq = stored.seq + 1;
  }
  return letters;
}

async function answered<Answer>(work: Promise<Answer>): Promise<Answer> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof PlatformError) throw error;
    throw unavailable({ retryAfterMs: 1_000 }, error);
  }
}
