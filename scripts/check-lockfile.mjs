// The lockfile must install anywhere, from the registry that the reader's npm is set to, without install scripts.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { root } from './steps.mjs';

const PUBLIC_REGISTRY = 'https://registry.npmjs.org/';
// Packages whose install script is not needed: what it would fetch or build is already in the package, or optional.
const WORKS_WITHOUT_ITS_SCRIPT = new Set([
  '@apollo/protobufjs', // prints a notice about versions
  'esbuild', // replaces a small launcher by the binary; the launcher finds it as well
  'onnxruntime-node', // fetches CUDA files; the CPU library is in the package
  'protobufjs', // prints a notice about versions
]);

const { packages } = JSON.parse(readFileSync(resolve(root, 'package-lock.json'), 'utf8'));
const workspaces = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8')).workspaces;
const problems = [];

for (const [path, entry] of Object.entries(packages)) {
  const name = path.replace(/^.*node_modules\//, '');
  if (entry.link === true || !path.includes('node_modules/')) continue;
  if (entry.resolved !== undefined && !entry.resolved.startsWith(PUBLIC_REGISTRY)) {
    problems.push(`${name} comes from another place than the npm registry`);
  }
  if (entry.integrity === undefined && entry.inBundle !== true)
    problems.push(`${name} has no integrity`);
  if (
    entry.hasInstallScript === true &&
    entry.optional !== true &&
    !WORKS_WITHOUT_ITS_SCRIPT.has(name)
  ) {
    problems.push(
      `${name} has an install script, which .npmrc forbids: show that it works without`,
    );
  }
}

for (const [path, entry] of Object.entries(packages)) {
  if (path === '' || path.includes('node_modules/')) continue;
  const manifest = JSON.parse(readFileSync(resolve(root, path, 'package.json'), 'utf8'));
  for (const kind of [
    'dependencies',
    'devDependencies',
    'optionalDependencies',
    'peerDependencies',
  ]) {
    if (JSON.stringify(sorted(manifest[kind])) !== JSON.stringify(sorted(entry[kind]))) {
      problems.push(`${path}: ${kind} of package.json and lockfile differ; run npm install`);
    }
  }
}
if (!readFileSync(resolve(root, '.npmrc'), 'utf8').includes('ignore-scripts=true')) {
  problems.push('.npmrc must say ignore-scripts=true');
}
if (!Array.isArray(workspaces)) problems.push('package.json has no workspaces');

for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;

function sorted(record) {
  return Object.entries(record ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
