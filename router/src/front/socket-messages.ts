import { isRecord, jsonFrom } from './params.ts';

/** The sub-protocol this router speaks: graphql-ws, PROTOCOL.md. */
export const subProtocol = 'graphql-transport-ws';

/** Close codes of the protocol. 4403 lets clients connect again, with a fresh credential. */
export const closeCodes = {
  BAD_REQUEST: 4400,
  UNAUTHORIZED: 4401,
  FORBIDDEN: 4403,
  INIT_TIMEOUT: 4408,
  DUPLICATE_ID: 4409,
  TOO_MANY_INITS: 4429,
  TOO_MANY_SOCKETS: 1013,
  GOING_AWAY: 1001,
} as const;

export type ClientMessage =
  | { readonly type: 'connection_init'; readonly payload: unknown }
  | { readonly type: 'ping'; readonly payload: unknown }
  | { readonly type: 'pong' }
  | { readonly type: 'subscribe'; readonly id: string; readonly payload: unknown }
  | { readonly type: 'complete'; readonly id: string };

/** Reads one message; `undefined` for anything that the protocol does not know. */
export function clientMessage(text: string): ClientMessage | undefined {
  const message = parsed(text);
  if (!isRecord(message)) return undefined;
  const { type, id, payload } = message;
  switch (type) {
    case 'connection_init':
      return { type, payload };
    case 'ping':
      return { type, payload };
    case 'pong':
      return { type };
    case 'subscribe':
      return isId(id) ? { type, id, payload } : undefined;
    case 'complete':
      return isId(id) ? { type, id } : undefined;
    default:
      return undefined;
  }
}

const isId = (id: unknown): id is string => typeof id === 'string' && id !== '' && id.length <= 128;

function parsed(text: string): unknown {
  try {
    return jsonFrom(text);
  } catch {
    return undefined;
  }
}
