import { spawn } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const built = fileURLToPath(new URL('../../cli/dist/main.js', import.meta.url));

/** Where the trained models of the repository lie. */
export const modelsFolder = fileURLToPath(
  new URL('../../inference-runtime/models/', import.meta.url),
);

export interface BuiltPlatform extends AsyncDisposable {
  readonly url: string;
  readonly apiKey: string;
  /** From the command to the ready screen, in ms. */
  readonly readyMs: number;
  /** Of the process that serves the graph since it was asked last, from its own `/metrics`. */
  eventLoopLag(): Promise<{ readonly p99Ms: number; readonly residentMiB: number }>;
  stop(): Promise<void>;
}

/** Starts the built `opea up` on a data folder and waits until it is ready. */
export async function startBuilt(folder: string): Promise<BuiltPlatform> {
  const began = performance.now();
  const argv = [built, 'up', '--json', '--port', '0', '--data', folder];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const ready = await new Promise<{ url: string; apiKey: string }>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (part: Buffer) => {
      text += part.toString();
      if (text.trimEnd().endsWith('}')) resolve(JSON.parse(text));
    });
    child.once('close', (code) => reject(new Error(`opea up ended with ${code}`)));
  });
  const readyMs = performance.now() - began;
  const stop = () => {
    if (child.exitCode === null) child.kill('SIGINT');
    return ended;
  };
  return {
    ...ready,
    readyMs,
    eventLoopLag: () => eventLoopLag(ready.url),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** What the process samples its event loop with, in ms: a delay of that much is none. */
const resolutionMs = 10;

async function eventLoopLag(url: string) {
  const text = await (await fetch(`${url}/metrics`)).text();
  const figure = (name: string): number => {
    const match = new RegExp(`^${name} (\\S+)$`, 'm').exec(text);
    if (!match) throw new Error(`/metrics has no ${name}`);
    return Number(match[1]);
  };
  return {
    p99Ms: Math.max(0, figure('nodejs_eventloop_lag_p99_seconds') * 1_000 - resolutionMs),
    residentMiB: figure('process_resident_memory_bytes') / 2 ** 20,
  };
}
