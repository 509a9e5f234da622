import { availableParallelism } from 'node:os';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { runCli } from './program.ts';

const stopping = new AbortController();
let asked = 0;
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.on(name, () => {
    asked += 1;
    if (asked === 1) stopping.abort();
    else process.exit(130);
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
