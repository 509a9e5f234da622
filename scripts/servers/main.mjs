// scripts/services up|down|status|env: PostgreSQL, NATS, a MongoDB-protocol server, an S3 server and Redis
// on loopback ports of this checkout. Everything lives under .opea-services/ (or OPEA_SERVICES_FOLDER).
import { writeFileSync } from 'node:fs';
import { installAll } from './install.mjs';
import { mongodb } from './mongodb.mjs';
import { nats } from './nats.mjs';
import { postgres } from './postgres.mjs';
import { aliveProcess, logTail, startProcess, stopProcess } from './process.mjs';
import { redis } from './redis.mjs';
import { s3 } from './s3.mjs';
import { waitUntil } from './wait.mjs';
import { isInstalled, openWorkspace, withLock } from './workspace.mjs';

const SERVERS = [postgres, nats, mongodb, s3, redis];
const USAGE = `usage: scripts/services up|down|status|env

  up      install what is missing, start what is not running, wait until each answers
  down    stop the servers that "up" started (data stays)
  status  one line per server; exits 1 when one does not answer
  env     print export lines: eval "$(scripts/services env)"

OPEA_SERVICES_FOLDER chooses another folder than .opea-services,
OPEA_SERVICES_<POSTGRES|NATS|MONGODB|S3|REDIS>_PORT another port.`;

const commands = { up, down, status, env };
const command = commands[process.argv[2]];
if (command === undefined || process.argv.length > 3) {
  console.error(USAGE);
  process.exitCode = 2;
} else {
  try {
    process.exitCode = await command(openWorkspace());
  } catch (error) {
    console.error(`scripts/services: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}

async function up(workspace) {
  const startedAt = Date.now();
  await withLock(workspace, async () => {
    await installAll(SERVERS, workspace);
    await Promise.all(SERVERS.map((server) => startServer(server, workspace)));
    writeFileSync(workspace.path('env'), exportLines(workspace), { mode: 0o600 });
  });
  console.log(`ready in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
  return 0;
}

async function startServer(server, workspace) {
  const running = aliveProcess(server, workspace);
  if (running === undefined) {
    await workspace.claimPort(server);
    const context = workspace.contextOf(server);
    await server.prepare?.(context);
    startProcess(server, workspace, server.command(context));
  }
  const context = workspace.contextOf(server);
  await waitUntil({
    what: `${server.title} to answer on 127.0.0.1:${context.port}`,
    timeoutMs: 60_000,
    check: () => server.probe(context),
    giveUp: () =>
      aliveProcess(server, workspace) === undefined
        ? `${server.title} ended while starting:\n${logTail(server, workspace)}`
        : undefined,
  });
  await server.provision?.(context);
  console.log(`${line(server, workspace)}  ${running === undefined ? 'started' : 'was running'}`);
}

async function down(workspace) {
  await withLock(workspace, () =>
    Promise.all(
      SERVERS.map(async (server) => {
        const stopped = await stopProcess(server, workspace);
        console.log(`${server.title}: ${stopped ? 'stopped' : 'was not running'}`);
      }),
    ),
  );
  return 0;
}

async function status(workspace) {
  let missing = 0;
  for (const server of SERVERS) {
    if (!isInstalled(server, workspace)) {
      console.log(`${server.title}: not installed`);
      missing += 1;
      continue;
    }
    const pid = aliveProcess(server, workspace);
    const answers = pid !== undefined && (await server.probe(workspace.contextOf(server)));
    console.log(
      `${line(server, workspace)}  ${answers ? `answers, pid ${pid}` : 'does not answer'}`,
    );
    if (!answers) missing += 1;
  }
  return missing === 0 ? 0 : 1;
}

function env(workspace) {
  process.stdout.write(exportLines(workspace));
  return 0;
}

function exportLines(workspace) {
  const variables = Object.assign(
    {},
    ...SERVERS.map((server) => server.env(workspace.contextOf(server))),
  );
  return Object.entries(variables)
    .map(([name, value]) => `export ${name}='${value}'\n`)
    .join('');
}

function line(server, workspace) {
  const context = workspace.contextOf(server);
  return `${server.title} ${server.versionOf(context)} on 127.0.0.1:${context.port}`;
}
