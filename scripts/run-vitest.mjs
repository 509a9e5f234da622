// Runs vitest projects and counts what happened, so that a suite ends in one line that a machine can read.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { countResults } from './count-results.mjs';
import { inherit, tool } from './steps.mjs';

/** Resolves to { passed, failed, skipped }, as `countResults` counts; a run without a report failed once. */
export async function runVitest({ projects, extra = [], env = {} }) {
  const folder = mkdtempSync(join(tmpdir(), 'opea-tests-'));
  const report = join(folder, 'report.json');
  try {
    const code = await inherit(
      tool(
        'vitest',
        'run',
        ...projects.map((project) => `--project=${project}`),
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${report}`,
        ...extra,
      ),
      env,
    );
    return count(report, code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function count(report, code) {
  return existsSync(report)
    ? countResults(JSON.parse(readFileSync(report, 'utf8')), code)
    : { passed: 0, failed: 1, skipped: 0 };
}

/** Prints the counts; the line `N passed, N failed` is the last. Sets the exit code. */
export function conclude(results) {
  const sum = (key) => results.reduce((total, result) => total + (result[key] ?? 0), 0);
  if (sum('skipped') > 0) console.log(`${sum('skipped')} skipped`);
  console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
  process.exitCode = sum('failed') === 0 ? 0 : 1;
}
