// An empty cluster, kept in the package's cache folder under the version that made it. Where the folder cannot be written, every new cluster
// is made from scratch: slower, and nothing else.
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { threadId } from 'node:worker_threads';

const cache = fileURLToPath(new URL('../node_modules/.cache/opea', import.meta.url));

export async function readTemplate() {
  try {
    return new Blob([await readFile(await fileName())]);
  } catch {
    return undefined;
  }
}

export async function keepTemplate(engine) {
  try {
    const file = await fileName();
    const unfinished = `${file}.${process.pid}-${threadId}`;
    await mkdir(cache, { recursive: true });
    await engine.exec('checkpoint');
    const dump = await engine.dumpDataDir('none');
    await writeFile(unfinished, Buffer.from(await dump.arrayBuffer()));
    await rename(unfinished, file);
  } catch {
    // No template then.
  }
}

export async function dropTemplate() {
  await rm(await fileName(), { force: true }).catch(() => {});
}

async function fileName() {
  const versions = await Promise.all(
    ['@electric-sql/pglite', '@electric-sql/pglite-pgvector'].map(versionOf),
  );
  return path.join(cache, `pglite-${versions.join('-')}.tar`);
}

async function versionOf(name) {
  const entry = fileURLToPath(import.meta.resolve(name));
  const { version } = JSON.parse(await readFile(path.join(entry, '../../package.json'), 'utf8'));
  return version;
}
