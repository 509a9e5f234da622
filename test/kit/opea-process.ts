import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const built = fileURLToPath(new URL('../../cli/dist/main.js', import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `opea up` in a process of its own, as a person runs it. */
export interface UpProcess extends AsyncDisposable {
  readonly url: string;
  readonly apiKey: string;
  /** Ends it as a power cut would: nothing is asked, nothing is finished. */
  kill(): Promise<void>;
  /** Ends it as Ctrl-C does; resolves with what it printed. */
  interrupt(): Promise<Finished>;
}

/** Runs one command of the built `opea` to its end. */
export async function opea(...argv: readonly string[]): Promise<Finished> {
  return finished(launch(argv));
}

/** Starts `opea up --json` on a data folder and waits until it is ready. */
export async function startUp(folder: string, ...argv: readonly string[]): Promise<UpProcess> {
  const child = launch(['up', '--json', '--port', '0', '--data', folder, ...argv]);
  const end = finished(child);
  const ready = await Promise.race([firstJson(child), end]);
  if ('code' in ready) throw new Error(`opea up ended with ${ready.code}: ${ready.stderr}`);
  const stop = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    return end;
  };
  return {
    ...ready,
    kill: () => stop('SIGKILL').then(() => undefined),
    interrupt: () => stop('SIGINT'),
    [Symbol.asyncDispose]: () => stop('SIGKILL').then(() => undefined),
  };
}

function launch(argv: readonly string[]): ChildProcess {
  if (!existsSync(built)) throw new Error('cli/dist is missing: run `npm run build` first');
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME, NO_COLOR: '1' };
  return spawn(process.execPath, [built, ...argv], { env, stdio: ['ignore', 'pipe', 'pipe'] });
}

function finished(child: ChildProcess): Promise<Finished> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (part: Buffer) => {
    stdout += part.toString();
  });
  child.stderr?.on('data', (part: Buffer) => {
    stderr += part.toString();
  });
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

function firstJson(child: ChildProcess): Promise<{ url: string; apiKey: string }> {
  let text = '';
  return new Promise((resolve) => {
    child.stdout?.on('data', (part: Buffer) => {
      text += part.toString();
      if (text.trimEnd().endsWith('}')) resolve(JSON.parse(text));
    });
  });
}
