// npm test: checks, then unit, contract and end-to-end tests on the embedded parts. Needs only Node and npm.
import { runChecks } from './check.mjs';
import { installIfNeeded } from './install.mjs';
import { requireNode } from './node-version.mjs';
import { conclude, runVitest } from './run-vitest.mjs';

requireNode();
if (await installIfNeeded()) {
  const checks = await runChecks();
  const tests = await runVitest({ projects: ['unit', 'e2e'], extra: process.argv.slice(2) });
  conclude([checks, tests]);
} else {
  conclude([{ passed: 0, failed: 1 }]);
}
