import { cancelled } from '@opea/kernel/errors';
import type { Caller } from '../identity/caller.ts';
import type { Exchange } from './exchange.ts';
import { writeProgress } from './progress.ts';
import type { EndReason, Sessions } from './sessions.ts';
import type { Traffic, Transport } from './traffic.ts';

/** How a stream of answers is written on one HTTP response. */
export interface Framing {
  readonly transport: Transport;
  readonly headers: Readonly<Record<string, string>>;
  /** Written at once, so that the client knows the stream is open. */
  readonly opening: string;
  readonly heartbeat: string;
  /** What ends a stream that the router ends early. */
  ending(reason: EndReason): string;
}

export interface HttpStream extends Disposable {
  /** Aborted when the client leaves or the router ends the stream. */
  readonly life: AbortController;
  /** Resolves when the text left this process. */
  write(text: string): Promise<void>;
  end(text: string): void;
}

/** Opens a long answer: watched for expiry, revocation and readers that stopped. */
export function openHttpStream(
  { response, correlationId, life }: Exchange,
  framing: Framing,
  options: {
    readonly caller: Caller;
    readonly sessions: Sessions;
    readonly traffic: Traffic;
    readonly stallMs: number;
  },
): HttpStream {
  const { caller, sessions, traffic, stallMs } = options;
  const progress = writeProgress(stallMs);

  const write = (text: string) =>
    new Promise<void>((resolve) => {
      if (life.signal.aborted || response.destroyed) return resolve();
      progress.started();
      response.write(text, () => {
        progress.finished();
        resolve();
      });
      return undefined;
    });

  const end = (reason: EndReason) => {
    if (life.signal.aborted) return;
    traffic.streamEnded(reason);
    if (reason === 'STALLED') response.destroy();
    else response.end(framing.ending(reason));
    life.abort(cancelled({}));
  };
  const watched = sessions.watch({
    caller,
    end,
    isStalled: (nowMs) => progress.isStalled(nowMs),
    // A heartbeat behind unread events would only add to them.
    beat: () => {
      if (response.writableLength === 0) response.write(framing.heartbeat);
    },
  });
  response.socket?.setNoDelay(true);
  response.writeHead(200, {
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
    'x-correlation-id': correlationId,
    ...framing.headers,
  });
  if (framing.opening === '') response.flushHeaders();
  else response.write(framing.opening);
  traffic.streamOpened(framing.transport);

  return {
    life,
    write,
    end(text) {
      if (!response.writableEnded) response.end(text);
    },
    [Symbol.dispose]() {
      watched[Symbol.dispose]();
      traffic.streamClosed(framing.transport);
      life.abort(cancelled({}));
    },
  };
}
