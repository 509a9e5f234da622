import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import { unavailable } from '../errors/index.ts';

/** The embedded PostgreSQL in its thread: bytes of the wire protocol in, bytes out. */
export interface Engine extends AsyncDisposable {
  send(bytes: Uint8Array): void;
  onReply: (bytes: Uint8Array) => void;
  onFailure: (error: Error) => void;
}

const message = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('reply'), bytes: z.instanceof(Uint8Array) }),
  z.object({ kind: z.literal('failed'), message: z.string() }),
  z.object({ kind: z.literal('closed') }),
]);

/** Starts the thread and waits until the engine answers. `dataDir` is a folder or `memory://`; `isNew` says that it holds nothing yet. */
export async function startEngine(
  dataDir: string,
  { isNew }: { readonly isNew: boolean },
): Promise<Engine> {
  const worker = new Worker(new URL('../../worker/pglite-worker.mjs', import.meta.url), {
    workerData: { dataDir, isNew },
    name: 'embedded-postgres',
    execArgv: [],
  });
  const exited = new Promise<void>((resolve) => {
    worker.once('exit', () => resolve());
  });
  let closing = false;

  const engine: Engine = {
    send: (bytes) => worker.postMessage(new Uint8Array(bytes)),
    onReply: () => {},
    onFailure: () => {},
    async [Symbol.asyncDispose]() {
      closing = true;
      worker.postMessage('close');
      const late = setTimeout(() => void worker.terminate(), 10_000);
      await exited;
      clearTimeout(late);
    },
  };

  await new Promise<void>((resolve, reject) => {
    worker.on('message', (received) => {
      const said = message.parse(received);
      if (said.kind === 'ready') resolve();
      else if (said.kind === 'reply') engine.onReply(said.bytes);
      else if (said.kind === 'failed') fail(new Error(said.message));
    });
    worker.on('error', fail);
    worker.on('exit', () => {
      if (!closing) fail(new Error('The embedded PostgreSQL stopped'));
    });
    function fail(error: unknown) {
      engine.onFailure(unavailable({ retryAfterMs: 1_000 }, error));
      reject(error instanceof Error ? error : new Error(String(error)));
    }
  });
  return engine;
}
