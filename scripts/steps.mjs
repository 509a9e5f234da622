// What every script here needs: run a program as one named step, with time taken and output only on failure.
import { spawn } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's folder; every step runs in it. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Environment of every tool: none of them may report its use to anybody. */
export const quietEnvironment = {
  ...process.env,
  TURBO_TELEMETRY_DISABLED: '1',
  DO_NOT_TRACK: '1',
  APOLLO_TELEMETRY_DISABLED: 'true',
};

/**
 * Runs `command` (a program and its arguments); prints one line with the seconds it took, and all its output
 * when it failed. Resolves to true when it exited 0.
 */
export async function step(name, command) {
  const startedAt = Date.now();
  const seconds = () => `${((Date.now() - startedAt) / 1000).toFixed(1)} s`;
  const live = process.stdout.isTTY;
  const ticker = live
    ? setInterval(() => process.stdout.write(`\r• ${name} … ${seconds()}`), 500)
    : undefined;
  if (live) process.stdout.write(`• ${name} …`);
  const { ok, output } = await captured(command);
  clearInterval(ticker);
  process.stdout.write(`${live ? '\r\u001b[K' : ''}${ok ? '✓' : '✗'} ${name}  ${seconds()}\n`);
  if (!ok) process.stdout.write(`${output.trimEnd()}\n\n`);
  return ok;
}

/** A program of an installed package, for `step`. */
export function tool(name, ...args) {
  return [resolve(root, 'node_modules/.bin', name), ...args];
}

/** One of our own scripts, for `step`. */
export function script(path, ...args) {
  return [process.execPath, resolve(root, path), ...args];
}

/** Runs `command` with this terminal; resolves to its exit code. */
export function inherit([file, ...args], env = {}) {
  return new Promise((done) => {
    const child = spawn(file, args, {
      cwd: root,
      stdio: 'inherit',
      env: { ...quietEnvironment, ...env },
    });
    child.on('error', (error) => {
      console.error(error.message);
      done(1);
    });
    child.on('close', (code) => done(code ?? 1));
  });
}

function captured([file, ...args]) {
  return new Promise((done) => {
    const child = spawn(file, args, {
      cwd: root,
      env: quietEnvironment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk;
      });
    }
    child.on('error', (error) => done({ ok: false, output: error.message }));
    child.on('close', (code) => done({ ok: code === 0, output }));
  });
}
