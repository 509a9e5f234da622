import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { maskError } from '@opea/kernel/errors';
import type { UpgradeListener } from '@opea/kernel/http';
import type { Logger } from '@opea/kernel/log';
import { WebSocketServer } from 'ws';
import { refusals } from '../errors.ts';
import type { GuardPolicy } from '../guards/policy.ts';
import { credentialOf } from '../identity/credentials.ts';
import type { Identity } from '../identity/identity.ts';
import type { Admit } from './admission.ts';
import type { Operations } from './operations.ts';
import type { Origins } from './origins.ts';
import type { Sessions } from './sessions.ts';
import { subProtocol } from './socket-messages.ts';
import { socketSession } from './socket-session.ts';
import type { Traffic } from './traffic.ts';

export interface SocketLimits {
  /** Bytes of one message. */
  readonly messageBytes: number;
  /** Milliseconds in which `connection_init` has to come. */
  readonly initMs: number;
  readonly operationsPerSocket: number;
  readonly stallMs: number;
  readonly answerBytes: number;
}

export interface SocketFrontOptions {
  readonly identity: Identity;
  readonly policy: GuardPolicy;
  readonly admit: Admit;
  readonly operations: Operations;
  readonly sessions: Sessions;
  readonly origins: Origins;
  readonly traffic: Traffic;
  readonly logger: Logger;
  readonly limits: SocketLimits;
}

export interface SocketFront extends AsyncDisposable {
  readonly onUpgrade: UpgradeListener;
}

/** Operations over WebSocket at the graph's path. */
export function socketFront(options: SocketFrontOptions & { readonly path: string }): SocketFront {
  const { origins, policy, logger, limits, path } = options;
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: limits.messageBytes,
    perMessageDeflate: false,
    clientTracking: true,
    handleProtocols: (offered) => (offered.has(subProtocol) ? subProtocol : false),
  });

  return {
    onUpgrade(request, socket, head) {
      socket.on('error', () => socket.destroy());
      const refusal = refuse(request);
      if (refusal !== undefined) return turnAway(socket, refusal);
      const credential = credentialFrom(request);
      if (typeof credential === 'number') return turnAway(socket, credential);
      return server.handleUpgrade(request, socket, head, (accepted) => {
        socketSession(accepted, credential, options);
      });
    },
    async [Symbol.asyncDispose]() {
      for (const client of server.clients) client.close(1001, 'Going away');
      server.close();
    },
  };

  /** The status of a handshake that is refused. */
  function refuse(request: IncomingMessage): number | undefined {
    if ((request.url ?? '/').split('?', 1)[0] !== path) return 404;
    if (!origins.allows(request) && policy.refusalFor('ORIGIN') !== undefined)
      return refusals.ORIGIN.kind.status;
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',');
    return offered.some((name) => name.trim() === subProtocol) ? undefined : 400;
  }

  function credentialFrom(request: IncomingMessage) {
    try {
      return credentialOf(request);
    } catch (error) {
      return maskError(error, logger).kind.status;
    }
  }
}

const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
};

function turnAway(socket: Duplex, status: number): void {
  socket.end(
    `HTTP/1.1 ${status} ${reasons[status] ?? 'Refused'}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`,
  );
}
