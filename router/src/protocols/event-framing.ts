import { answers } from '../errors.ts';
import type { Framing } from '../front/http-stream.ts';
import type { Protocol } from './protocol.ts';

/** Server-sent events without names: what the clients of both protocols read. */
export const eventFraming = ({ name, refusal }: Protocol): Framing => ({
  transport: name,
  headers: { 'content-type': 'text/event-stream; charset=utf-8', connection: 'keep-alive' },
  opening: '',
  heartbeat: ':\n\n',
  ending: (reason) =>
    event(
      refusal(
        reason === 'EXPIRED' || reason === 'REVOKED'
          ? answers.UNAUTHENTICATED()
          : answers.UNAVAILABLE(),
      ),
    ),
});

/** One event with a JSON document. */
export const event = (data: object): string => `data: ${JSON.stringify(data)}\n\n`;
