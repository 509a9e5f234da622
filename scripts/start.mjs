// npm start: installs what is missing, builds what is stale, then becomes `opea up`. Needs only Node and npm.
// The npm script says `exec`: a shell in between would turn a clean end after Ctrl-C into death by signal.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { installIfNeeded } from './install.mjs';
import { requireNode } from './node-version.mjs';
import { root, step, tool } from './steps.mjs';

requireNode();
const ready = (await installIfNeeded()) && (await step('Building what changed', tool('tsc', '-b')));
if (ready) {
  const main = resolve(root, 'cli/dist/main.js');
  process.argv = [process.execPath, main, 'up', ...process.argv.slice(2)];
  // In this process: Ctrl-C, exit code and terminal are the platform's own, with no parent in between.
  await import(pathToFileURL(main).href);
} else {
  process.exitCode = 1;
}
