import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../.opea-services/python/', import.meta.url));

/** A Python of its own that has these packages of PyPI; it is made once and kept. Fails with one sentence. */
export async function pythonWith(name: string, packages: readonly string[]): Promise<string> {
  const home = join(folder, name);
  const python = (place: string) => join(place, 'bin', 'python');
  if (existsSync(python(home))) return python(home);
  const making = `${home}.making`;
  await rm(making, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await run('python3', ['-m', 'venv', making]).catch((cause: unknown) => {
    throw new Error('python3 with its module venv is needed for this test', { cause });
  });
  await run(python(making), ['-m', 'pip', 'install', '--quiet', ...packages]).catch(
    (cause: unknown) => {
      throw new Error(`pip could not install ${packages.join(', ')}`, { cause });
    },
  );
  await rename(making, home);
  return python(home);
}

/** Runs a program to its end, with a text as its input. Resolves with what it printed. */
export function run(
  program: string,
  args: readonly string[],
  { input = '', timeoutMs = 300_000 } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'pipe', timeout: timeoutMs });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (part: Buffer) => {
      stdout += part.toString();
    });
    child.stderr.on('data', (part: Buffer) => {
      stderr += part.toString();
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(stdout);
      else reject(new Error(`${program} ended with ${String(code)}: ${stderr.slice(-2_000)}`));
    });
    child.stdin.end(input);
  });
}
