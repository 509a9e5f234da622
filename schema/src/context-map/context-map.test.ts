import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { contracts } from '../events/index.ts';
import { subgraphSdl } from '../sdl/index.ts';
import { contextMap } from './index.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const contexts = Object.entries(contextMap);
const services = new Set(contexts.map(([name]) => `@opea/${name}`));

describe.each(contexts)('%s', (name, { folder, owns, publishes, consumes, references }) => {
  test('imports no other service', async () => {
    const foreign = (await importsOf(join(root, folder, 'src'))).filter(
      ({ target }) => services.has(packageOf(target)) && packageOf(target) !== `@opea/${name}`,
    );

    expect(foreign).toEqual([]);
  });

  test('opens no store but its own', async () => {
    const sources = await sourcesOf(join(root, folder, 'src'));
    const others = contexts.filter(([other]) => other !== name).flatMap(([, { owns: o }]) => o);
    const tables = others
      .filter((store) => store.startsWith('postgres:') && !owns.includes(store))
      .map((store) => store.slice('postgres:'.length));

    for (const table of tables)
      for (const { file, text } of sources)
        expect({
          file,
          reaches: new RegExp(`\\b(FROM|JOIN|INTO|UPDATE) ${table}\\.`).test(text),
        }).toEqual({ file, reaches: false });
  });

  test('publishes and consumes contexts that have contracts', () => {
    const known = new Set(contracts.map(({ subject }) => subject.split('.')[0]));
    for (const context of [...publishes, ...consumes]) expect(known).toContain(context);
  });

  test('references contexts that are there', () => {
    for (const reference of references) expect(contextMap).toHaveProperty(reference);
  });
});

test('every event is published by exactly one context', () => {
  for (const { subject } of contracts) {
    const context = subject.split('.')[0] ?? '';
    const publishers = contexts.filter(([, { publishes }]) => publishes.includes(context));
    expect(publishers).toHaveLength(1);
  }
});

test('every subgraph is on the map', () => {
  for (const name of Object.keys(subgraphSdl)) expect(contextMap).toHaveProperty(name);
});

const packageOf = (target: string): string => target.split('/').slice(0, 2).join('/');

async function sourcesOf(folder: string): Promise<readonly { file: string; text: string }[]> {
  const entries = await readdir(folder, { recursive: true });
  const files = entries.filter((file) => file.endsWith('.ts'));
  return Promise.all(
    files.map(async (file) => ({ file, text: await readFile(join(folder, file), 'utf8') })),
  );
}

async function importsOf(folder: string): Promise<readonly { file: string; target: string }[]> {
  const sources = await sourcesOf(folder);
  return sources.flatMap(({ file, text }) =>
    [...text.matchAll(/from '([^']+)'/g)].map((match) => ({ file, target: match[1] ?? '' })),
  );
}
