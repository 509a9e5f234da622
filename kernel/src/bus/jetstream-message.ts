import type { JsMsg } from '@nats-io/jetstream';
import { type MsgHdrs, headers as newHeaders } from '@nats-io/transport-node';
import { instantOf } from '../clock/index.ts';
import type { BusMessage, NewMessage } from './bus.ts';
import type { StreamNames } from './jetstream-stream.ts';

const idHeader = 'Nats-Msg-Id';
/** On a replayed message: where it was before. */
const replayed = { seq: 'Opea-Seq', subject: 'Opea-Subject', id: 'Opea-Id' } as const;
const own = new Set<string>([idHeader, ...Object.values(replayed)]);

export function headersOf(message: Pick<NewMessage, 'headers'>): MsgHdrs {
  const headers = newHeaders();
  for (const [name, value] of Object.entries(message.headers ?? {})) headers.set(name, value);
  return headers;
}

/** Headers for a message that is delivered once more: they keep its number, subject and id. */
export function replayHeaders(message: BusMessage): MsgHdrs {
  const headers = headersOf(message);
  headers.set(replayed.seq, String(message.seq));
  headers.set(replayed.subject, message.subject);
  headers.set(replayed.id, message.id);
  return headers;
}

/** A body that is not JSON was not sent by a bus of ours: its data is null, which no contract accepts. */
export function messageOf(received: JsMsg, names: StreamNames): BusMessage {
  const { headers } = received;
  const plain: Record<string, string> = {};
  for (const name of headers?.keys() ?? []) {
    if (!own.has(name)) plain[name] = headers?.get(name) ?? '';
  }
  return {
    seq: Number(headers?.get(replayed.seq) || received.seq),
    subject: headers?.get(replayed.subject) || names.plain(received.subject),
    id: headers?.get(replayed.id) || headers?.get(idHeader) || String(received.seq),
    data: jsonOf(received),
    headers: plain,
    publishedAt: instantOf(Number(received.timestampNanos / 1_000_000n)).toISOString(),
    deliveries: received.info.deliveryCount,
  };
}

function jsonOf(received: JsMsg): unknown {
  try {
    return received.json();
  } catch {
    return null;
  }
}
