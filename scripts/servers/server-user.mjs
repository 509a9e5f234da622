// PostgreSQL refuses to run as root. When root starts the servers, PostgreSQL runs as a system user of its own.
import { execFileSync, spawnSync } from 'node:child_process';
import { dirname } from 'node:path';

const NAME = 'opea-services';

/** The user that servers run as, made when missing; undefined when whoever calls is not root. */
export function serverUser() {
  if (process.getuid?.() !== 0) return undefined;
  let found = lookUp();
  if (found === undefined) {
    execFileSync('/usr/sbin/useradd', [
      '--system',
      '--no-create-home',
      '--home-dir',
      '/nonexistent',
      '--shell',
      '/usr/sbin/nologin',
      NAME,
    ]);
    found = lookUp();
  }
  if (found === undefined) throw new Error(`the system user ${NAME} could not be made`);
  return found;
}

/** The command line that runs `program` as the server user. */
export function asServerUser(program, args) {
  const user = serverUser();
  if (user === undefined) return { file: program, args };
  const become = ['--reuid', String(user.uid), '--regid', String(user.gid), '--clear-groups'];
  const reaches = spawnSync('setpriv', [...become, 'test', '-x', dirname(program)]).status === 0;
  // A checkout below a folder that only root may enter: the server keeps root's right over files, and no other
  // right of root. The secure bit makes access(2) count it.
  const keep = reaches
    ? []
    : [
        '--securebits',
        '+no_setuid_fixup',
        '--inh-caps',
        '+dac_override',
        '--ambient-caps',
        '+dac_override',
      ];
  return { file: 'setpriv', args: [...become, ...keep, program, ...args] };
}

function lookUp() {
  const entry = spawnSync('getent', ['passwd', NAME], { encoding: 'utf8' })
    .stdout.trim()
    .split(':');
  return entry.length > 3 ? { uid: Number(entry[2]), gid: Number(entry[3]) } : undefined;
}
