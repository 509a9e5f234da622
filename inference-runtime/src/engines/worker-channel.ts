import { fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { limitMemory } from './limit-memory.ts';
import { type FromWorker, leave, type ToWorker } from './worker-protocol.ts';

/** How long an execution may take to end before its thread is ended regardless, in ms. */
const patienceMs = 10_000;

/** A line to one worker. The worker's own life is over when `exit` was called, once. */
export interface WorkerChannel {
  /** Sends a message; the buffers in `transfer` are moved where the channel can move them. */
  post(message: ToWorker, transfer: readonly ArrayBuffer[]): void;
  terminate(): Promise<void>;
  /** The worker's operating-system process when it has one of its own. */
  readonly pid: number | undefined;
}

export interface ChannelOptions {
  readonly threads: number;
  /** Most resident memory of a worker process, bytes; beyond it the process is killed. */
  readonly maxMemoryBytes?: number;
  readonly onMessage: (message: FromWorker) => void;
  readonly onExit: (reason: string) => void;
}

export type OpenChannel = (options: ChannelOptions) => WorkerChannel;

/** A worker thread: shares the process, buffers move to it without a copy. */
export const threadChannel: OpenChannel = ({ threads, onMessage, onExit }) => {
  const worker = fromSource()
    ? new Worker(sourceBootstrap(), {
        eval: true,
        execArgv: ['--conditions=source'],
        workerData: { threads },
      })
    : new Worker(entry(), { workerData: { threads } });
  const exited = once(onExit);
  worker.on('message', onMessage);
  worker.on('error', (error) => exited(error.message));
  worker.on('messageerror', (error) => exited(error.message));
  const gone = new Promise<void>((resolve) => {
    worker.once('exit', (code) => {
      exited(`exit code ${code}`);
      resolve();
    });
  });

  return {
    pid: undefined,
    post: (message, transfer) => worker.postMessage(message, [...transfer]),
    // Ending a thread inside ONNX Runtime aborts the whole process: it is asked to leave between two executions.
    async terminate() {
      worker.postMessage(leave);
      const late = setTimeout(() => void worker.terminate(), patienceMs);
      await gone;
      clearTimeout(late);
    },
  };
};

/** A child process: an abort or an out-of-memory kill takes only it; buffers are copied. */
export const processChannel: OpenChannel = ({ threads, maxMemoryBytes, onMessage, onExit }) => {
  const child = fork(fileURLToPath(entry()), [String(threads)], {
    serialization: 'advanced',
    execArgv: fromSource() ? ['--import', tsx('tsx'), '--conditions=source'] : [],
  });
  const exited = once(onExit);
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.on('message', (message) => onMessage(message as FromWorker));
  child.on('error', (error) => exited(error.message));
  child.on('exit', (code, signal) => exited(signal ?? `exit code ${code}`));
  const { pid } = child;
  if (maxMemoryBytes !== undefined && pid !== undefined)
    limitMemory({
      pid,
      maxBytes: maxMemoryBytes,
      until: gone,
      exceeded() {
        exited(`more than ${maxMemoryBytes} bytes of memory`);
        child.kill('SIGKILL');
      },
    });

  return {
    pid: child.pid,
    post: (message) => {
      if (child.connected) child.send(message, () => {});
    },
    async terminate() {
      child.kill('SIGKILL');
      await gone;
    },
  };
};

/** Compiled, the entry is JavaScript that Node runs; from source it is TypeScript that tsx must load. */
function fromSource(): boolean {
  return import.meta.url.endsWith('.ts');
}

function entry(): URL {
  return new URL(fromSource() ? './worker-entry.ts' : './worker-entry.js', import.meta.url);
}

/** Node 20 does not pass module hooks on to worker threads, so the worker registers tsx itself. */
function sourceBootstrap(): string {
  const api = JSON.stringify(tsx('tsx/esm/api').replace(/cjs$/, 'mjs'));
  const main = JSON.stringify(entry().href);
  return `import(${api}).then(({ register }) => { register(); return import(${main}); });`;
}

function tsx(specifier: string): string {
  return pathToFileURL(createRequire(import.meta.url).resolve(specifier)).href;
}

function once(callback: (reason: string) => void): (reason: string) => void {
  let called = false;
  return (reason) => {
    if (called) return;
    called = true;
    callback(reason);
  };
}
