import { availableParallelism } from 'node:os';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { runCli } from './program.ts';

/** npm passes on the Ctrl-C that the terminal has already sent to everyone: one key, two signals, milliseconds apart. */
const SAME_KEY_MS = 500;

const stopping = new AbortController();
let askedAtMs: number | undefined;
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.on(name, () => {
    askedAtMs ??= performance.now();
    if (!stopping.signal.aborted) stopping.abort();
    else if (performance.now() - askedAtMs > SAME_KEY_MS) process.exit(130);
  });

process.exitCode = await runCli({
  argv: process.argv.slice(2),
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: stopping.signal,
  cores: availableParallelism(),
  modelsFolder: fileURLToPath(new URL('../../inference-runtime/models/', import.meta.url)),
});
