// Installs packages when the lockfile asks for something that is not there, and does nothing otherwise.
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { root, step } from './steps.mjs';

/** True when every package that the lockfile demands is installed, if need be after installing them. */
export async function installIfNeeded() {
  if (!isStale()) return true;
  const fresh = !existsSync(resolve(root, 'node_modules'));
  return await step('Installing packages (a minute or two on a first run)', [
    'npm',
    fresh ? 'ci' : 'install',
    '--no-audit',
    '--no-fund',
  ]);
}

function isStale() {
  const wanted = packagesOf('package-lock.json');
  const installed = packagesOf('node_modules/.package-lock.json');
  if (wanted === undefined) throw new Error('package-lock.json is missing');
  if (installed === undefined) return true;
  return Object.entries(wanted).some(([path, { version, link, optional }]) => {
    if (!path.startsWith('node_modules/')) return false;
    const found = installed[path];
    return found === undefined ? optional !== true : link !== true && found.version !== version;
  });
}

function packagesOf(lockfile) {
  const file = resolve(root, lockfile);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : undefined;
}
