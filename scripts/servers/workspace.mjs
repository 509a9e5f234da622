// Where the servers of this checkout live: folder, ports and credentials, kept between runs.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pause } from './wait.mjs';

const REPOSITORY = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

export function openWorkspace() {
  const folder = resolve(REPOSITORY, process.env['OPEA_SERVICES_FOLDER'] ?? '.opea-services');
  const path = (...parts) => join(folder, ...parts);
  const statePath = path('state.json');
  const state = existsSync(statePath)
    ? JSON.parse(readFileSync(statePath, 'utf8'))
    : { ports: {}, secrets: {} };
  for (const part of ['', 'data', 'logs', 'pids', 'servers', 'downloads']) {
    mkdirSync(path(part), { recursive: true, mode: 0o755 });
  }

  const save = () => {
    writeFileSync(statePath, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  };

  return {
    folder,
    path,
    contextOf(server) {
      return {
        folder: path('servers', `${server.name}-${server.version}`),
        data: path('data', server.name),
        downloads: path('downloads'),
        port: state.ports[server.name] ?? wantedPort(server),
        secret: (name) => {
          const key = `${server.name}.${name}`;
          if (state.secrets[key] === undefined) {
            state.secrets[key] = randomBytes(18).toString('hex');
            save();
          }
          return state.secrets[key];
        },
      };
    },
    /** Keeps the port of an earlier run; a first run steps aside when another program has the default. */
    async claimPort(server) {
      const chosen = process.env[portVariable(server)];
      const wanted = chosen === undefined ? state.ports[server.name] : Number(chosen);
      if (wanted !== undefined) {
        if (!(await isFree(wanted))) {
          throw new Error(
            `port ${wanted} for ${server.title} is taken by another program; set ${portVariable(server)} to a free one`,
          );
        }
        state.ports[server.name] = wanted;
      } else {
        state.ports[server.name] = await firstFree(server.defaultPort);
      }
      save();
    },
  };
}

export function isInstalled(server, workspace) {
  return existsSync(join(workspace.contextOf(server).folder, '.complete'));
}

/** One `up` or `down` at a time; a lock whose owner is gone is taken over. */
export async function withLock(workspace, task) {
  const lock = workspace.path('lock');
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      const owner = Number(readIfThere(lock));
      if (Number.isInteger(owner) && owner > 0 && !existsSync(`/proc/${owner}`))
        rmSync(lock, { force: true });
      else await pause(200);
    }
  }
  try {
    return await task();
  } finally {
    rmSync(lock, { force: true });
  }
}

function readIfThere(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

function wantedPort(server) {
  return Number(process.env[portVariable(server)] ?? server.defaultPort);
}

function portVariable(server) {
  return `OPEA_SERVICES_${server.name.toUpperCase()}_PORT`;
}

async function firstFree(from) {
  for (let port = from; port < from + 100; port += 1) {
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port between ${from} and ${from + 99}`);
}

function isFree(port) {
  return new Promise((done) => {
    const probe = createServer();
    probe.once('error', () => done(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => done(true)));
  });
}
