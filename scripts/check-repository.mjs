// What must never be committed: leftovers of merging and debugging, big files, and paths of one person's machine.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { root } from './steps.mjs';

const MAXIMUM_BYTES = 3 * 1024 * 1024;
const MAY_BE_BIG = ['inference-runtime/models/'];
const TEXT = /\.(ts|tsx|mts|mjs|js|cjs|json|graphql|md|py|sql|ya?ml|toml|sh|html|css|txt)$|^[^.]+$/;

const RULES = [
  { pattern: /^(<{7} |={7}$|>{7} |\|{7} )/m, complaint: 'merge marker' },
  {
    pattern: /\b(describe|it|test|suite)(\.\w+)*\.only\(/,
    complaint: 'a test that shuts out the others',
    files: /\.(ts|mjs)$/,
  },
  { pattern: /\bdebugger;/, complaint: 'debugger statement', files: /\.(ts|mjs|js)$/ },
  {
    // A leading quote, space or bracket: an absolute path, and not the end of a URL or of a relative one.
    pattern: /(^|[\s"'`(=:])\/(home|Users|root|work|workspace|mnt|private)\/[\w.-]+/m,
    complaint: 'absolute path of a machine',
  },
  { pattern: /[A-Z]:\\Users\\/, complaint: 'absolute path of a machine' },
  {
    pattern: /-----BEGIN (RSA |EC |OPENSSH |)PRIVATE KEY-----\n[A-Za-z0-9+/=]{20}/,
    complaint: 'private key',
  },
];

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
  const { size } = statSync(path);
  if (size > MAXIMUM_BYTES) {
    return MAY_BE_BIG.some((folder) => file.startsWith(folder))
      ? []
      : [
          `${file}: ${(size / 1024 / 1024).toFixed(1)} MB is more than ${MAXIMUM_BYTES / 1024 / 1024} MB`,
        ];
  }
  if (!TEXT.test(file.split('/').at(-1)) || file === 'scripts/check-repository.mjs') return [];
  const text = readFileSync(path, 'utf8');
  return RULES.filter((rule) => rule.files === undefined || rule.files.test(file)).flatMap(
    (rule) => {
      const found = rule.pattern.exec(text);
      if (found === null) return [];
      const line = text.slice(0, found.index + found[0].length).split('\n').length;
      return [`${file}:${line}: ${rule.complaint}: ${found[0].trim().slice(0, 80)}`];
    },
  );
}
