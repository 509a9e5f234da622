// npm run check [name…]: every check that needs no test runner. All run; the last line counts them.

import { installIfNeeded } from './install.mjs';
import { requireNode } from './node-version.mjs';
import { script, step, tool } from './steps.mjs';

const CHECKS = {
  format: ['Format and import order', tool('biome', 'ci', '--colors=off', '.')],
  types: ['Types', tool('tsc', '-b')],
  'test-types': ['Types of tests', tool('tsc', '-p', 'tsconfig.test.json')],
  lint: ['Lint', tool('oxlint', '--type-aware', '--quiet')],
  boundaries: ['Import direction', tool('turbo', 'boundaries')],
  'dead-code': ['Dead code and unused packages', tool('knip', '--no-progress')],
  generated: ['Generated files', script('scripts/generate.mjs', '--check')],
  lockfile: ['Lockfile', script('scripts/check-lockfile.mjs')],
  repository: ['Repository', script('scripts/check-repository.mjs')],
};

/** Runs the named checks, all by default; resolves to how many passed and failed. */
export async function runChecks(names = Object.keys(CHECKS)) {
  const result = { passed: 0, failed: 0 };
  for (const name of names) {
    const [title, command] = CHECKS[name];
    if (await step(title, command)) result.passed += 1;
    else result.failed += 1;
  }
  return result;
}

if (process.argv[1]?.endsWith('check.mjs')) {
  requireNode();
  const names = process.argv.slice(2);
  const unknown = names.filter((name) => !Object.hasOwn(CHECKS, name));
  if (unknown.length > 0) {
    console.error(`unknown: ${unknown.join(', ')}; checks are ${Object.keys(CHECKS).join(', ')}`);
    process.exitCode = 2;
  } else if (await installIfNeeded()) {
    const { passed, failed } = await runChecks(names.length > 0 ? names : undefined);
    console.log(`${passed} passed, ${failed} failed`);
    process.exitCode = failed === 0 ? 0 : 1;
  } else {
    process.exitCode = 1;
  }
}
