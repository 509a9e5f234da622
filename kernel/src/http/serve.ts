import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { defineError } from '../errors/index.ts';
import type { Service } from '../lifecycle/index.ts';

export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

export interface ServeOptions {
  /** 0 takes any free port, which is what tests ask for. */
  readonly port: number;
  readonly host?: string;
  readonly onUpgrade?: UpgradeListener;
  /** How long requests in flight may take to finish when the server stops; then they are cut. */
  readonly drainMs?: number;
  /** How long a client may take to send its headers, and its whole request. */
  readonly headersTimeoutMs?: number;
  readonly requestTimeoutMs?: number;
}

export const portTaken = defineError(
  'PORT_TAKEN',
  500,
  ({ host, port }: { host: string; port: number }) =>
    `Port ${port} on ${host} is taken by another program.`,
);

export const portForbidden = defineError(
  'PORT_FORBIDDEN',
  500,
  ({ host, port }: { host: string; port: number }) =>
    `This user may not listen on port ${port} of ${host}.`,
);

/** Serves until disposed; then it takes no new request, lets those in flight finish, and closes. */
export async function serve(listener: RequestListener, options: ServeOptions): Promise<Service> {
  const { port, host = '127.0.0.1', onUpgrade, drainMs = 10_000 } = options;
  const server = createServer(
    {
      maxHeaderSize: 16_384,
      headersTimeout: options.headersTimeoutMs ?? 10_000,
      requestTimeout: options.requestTimeoutMs ?? 60_000,
      connectionsCheckingInterval: 1_000,
    },
    listener,
  );
  const upgraded = new Set<Duplex>();
  server.on('upgrade', (request, socket: Duplex, head) => {
    upgraded.add(socket);
    socket.once('close', () => upgraded.delete(socket));
    if (onUpgrade) onUpgrade(request, socket, head);
    else socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
  });
  await listening(server, host, port);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('Expected a TCP address');

  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      // A connection whose last answer went out only now would be kept alive; nothing more may come in on it.
      const sweep = setInterval(() => server.closeIdleConnections(), 50);
      const cut = setTimeout(() => server.closeAllConnections(), drainMs);
      for (const socket of upgraded) socket.end();
      const cutUpgraded = setTimeout(
        () => {
          for (const socket of upgraded) socket.destroy();
        },
        Math.min(drainMs, 1_000),
      );
      await closed;
      clearInterval(sweep);
      clearTimeout(cut);
      clearTimeout(cutUpgraded);
    },
  };
}

async function listening(server: Server, host: string, port: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, host, resolve);
    });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EADDRINUSE') throw portTaken({ host, port }, error);
    if (code === 'EACCES') throw portForbidden({ host, port }, error);
    throw error;
  }
}
