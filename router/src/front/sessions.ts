import type { Clock } from '@opea/kernel/clock';
import type { Caller } from '../identity/caller.ts';

/** Why the router ends a stream that its client wanted to keep. */
export type EndReason = 'EXPIRED' | 'REVOKED' | 'SHUTDOWN' | 'STALLED';

/** Something that stays open for a caller: a socket, or an HTTP stream. */
export interface Session {
  readonly caller: Caller;
  end(reason: EndReason): void;
  /** Whether writes have made no progress for longer than they may. */
  isStalled(nowMs: number): boolean;
  /** Sends whatever keeps the connection alive; called every `heartbeatMs`. */
  beat(): void;
}

export interface Sessions extends AsyncDisposable {
  /** Watches a session until the result is disposed. */
  watch(session: Session): Disposable;
  /** Whether a caller has as many open as one may; anonymous callers share one count. */
  isFull(caller: Caller): boolean;
  endAllOf(principalId: string): void;
}

/** How often expiry and progress are looked at. */
const tickMs = 500;

/**
 * One timer for every open stream: ends those whose credential expired, those that stopped reading,
 * and, when told, those of a principal whose rights changed.
 */
export function startSessions(options: {
  readonly clock: Clock;
  readonly heartbeatMs: number;
  /** Asked every `recheckMs` about callers with a key; a rejection ends the session. */
  readonly recheck: (caller: Caller) => Promise<void>;
  readonly recheckMs: number;
  /** Sockets and HTTP streams of one principal. */
  readonly perPrincipal: number;
}): Sessions {
  const { clock, heartbeatMs, recheck, recheckMs, perPrincipal } = options;
  const open = new Set<Session>();
  let nextBeat = heartbeatMs;
  let nextCheck = recheckMs;
  let elapsed = 0;

  const tick = () => {
    elapsed += tickMs;
    const now = clock();
    const beats = elapsed >= nextBeat;
    const checks = elapsed >= nextCheck;
    if (beats) nextBeat = elapsed + heartbeatMs;
    if (checks) nextCheck = elapsed + recheckMs;
    for (const session of open) {
      const { caller } = session;
      if (caller.kind !== 'anonymous' && caller.expiresAt !== undefined && caller.expiresAt <= now)
        session.end('EXPIRED');
      else if (session.isStalled(performance.now())) session.end('STALLED');
      else {
        if (beats) session.beat();
        if (checks) recheck(caller).catch(() => session.end('REVOKED'));
      }
    }
  };
  const timer = setInterval(tick, tickMs);
  timer.unref();

  const ofPrincipal = (id: string) =>
    [...open].filter(({ caller }) => caller.kind !== 'anonymous' && caller.viewer.id === id);

  const idOf = (caller: Caller) => (caller.kind === 'anonymous' ? '' : caller.viewer.id);
  const countOf = (caller: Caller) => {
    let count = 0;
    for (const session of open) if (idOf(session.caller) === idOf(caller)) count += 1;
    return count;
  };

  return {
    watch(session) {
      open.add(session);
      return {
        [Symbol.dispose]: () => {
          open.delete(session);
        },
      };
    },
    isFull: (caller) => countOf(caller) >= perPrincipal,
    endAllOf(id) {
      for (const session of ofPrincipal(id)) session.end('REVOKED');
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      for (const session of open) session.end('SHUTDOWN');
    },
  };
}
