// Servers outlive the command that starts them. A pid file holds the pid and the kernel's start time of
// that process, so that a pid which the system has given to another program is never signalled.
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { waitUntil } from './wait.mjs';

export function startProcess(server, workspace, { file, args, env = {} }) {
  const log = openSync(logPath(server, workspace), 'a', 0o600);
  const child = spawn(file, args, {
    cwd: workspace.folder,
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, ...env },
  });
  closeSync(log);
  child.on('error', () => undefined);
  if (child.pid === undefined) throw new Error(`${server.title} could not be started: ${file}`);
  child.unref();
  writeFileSync(pidPath(server, workspace), `${child.pid} ${startTimeOf(child.pid) ?? ''}\n`);
}

/** The pid when the process that we started is alive, else undefined. */
export function aliveProcess(server, workspace) {
  const file = pidPath(server, workspace);
  if (!existsSync(file)) return undefined;
  const [pid, startedAt] = readFileSync(file, 'utf8').trim().split(' ');
  const found = startTimeOf(Number(pid));
  return found !== undefined && found === startedAt ? Number(pid) : undefined;
}

/** True when a process was stopped; asks with the server's own signal first and insists after 20 s. */
export async function stopProcess(server, workspace) {
  const pid = aliveProcess(server, workspace);
  if (pid !== undefined) {
    process.kill(pid, server.stopSignal ?? 'SIGTERM');
    const gone = () => aliveProcess(server, workspace) === undefined;
    try {
      await waitUntil({ what: `${server.title} to stop`, timeoutMs: 20_000, check: gone });
    } catch {
      process.kill(pid, 'SIGKILL');
      await waitUntil({ what: `${server.title} to die`, timeoutMs: 5_000, check: gone });
    }
  }
  rmSync(pidPath(server, workspace), { force: true });
  return pid !== undefined;
}

export function logTail(server, workspace) {
  return readFileSync(logPath(server, workspace), 'utf8')
    .trimEnd()
    .split('\n')
    .slice(-15)
    .join('\n');
}

/** Field 22 of /proc/<pid>/stat (proc(5)), in clock ticks since boot; a zombie counts as gone. */
function startTimeOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

const pidPath = (server, workspace) => workspace.path('pids', server.name);
const logPath = (server, workspace) => workspace.path('logs', `${server.name}.log`);
