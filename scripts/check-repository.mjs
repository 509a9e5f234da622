// npm run check -- repository: no file breaks a rule of repository-rules.mjs.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { complaintsAbout } from './repository-rules.mjs';
import { root } from './steps.mjs';

const problems = files().flatMap(problemsOf);
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;

/** Tracked files, and those that would be with the next `git add`. */
function files() {
  const listed = execFileSync(
    'git',
    ['-c', 'safe.directory=*', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  return listed.split('\0').filter((file) => file !== '' && existsSync(resolve(root, file)));
}

function problemsOf(file) {
  const path = resolve(root, file);
  return complaintsAbout({
    file,
    bytes: statSync(path).size,
    read: () => readFileSync(path, 'utf8'),
  });
}
