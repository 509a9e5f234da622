import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { CommandFailed } from '../exit.ts';
import type { GraphClient } from './graph-client.ts';
import { filesOf, type PushedVersion, pushVersion } from './push-version.ts';

export interface ImportOptions {
  /** A folder, or `owner/name` on the Hugging Face hub. */
  readonly source: string;
  readonly name: string | undefined;
  readonly signal: AbortSignal;
  readonly progress: (line: string) => void;
}

/** Where a hub repository keeps what the runtime reads, most wanted first. */
const hubFiles: readonly { readonly name: string; readonly at: readonly string[] }[] = [
  { name: 'model.onnx', at: ['onnx/model.onnx', 'model.onnx'] },
  { name: 'tokenizer.json', at: ['tokenizer.json'] },
];

/** Publishes a folder, or the files of a hub repository, as the next version of a model. */
export async function importModel(
  client: GraphClient,
  options: ImportOptions,
): Promise<PushedVersion> {
  const name = options.name ?? basename(options.source).toLowerCase();
  const found = await stat(options.source).catch(() => undefined);
  if (found) return push(client, name, options.source, options);
  if (!/^[\w.-]+\/[\w.-]+$/.test(options.source))
    throw new CommandFailed(`${options.source} is neither a folder nor an owner/name on the hub.`);
  const folder = await mkdtemp(join(tmpdir(), 'opea-import-'));
  try {
    await downloadAll(options, folder);
    return await push(client, name, folder, options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function push(
  client: GraphClient,
  name: string,
  folder: string,
  { source, progress }: ImportOptions,
): Promise<PushedVersion> {
  return pushVersion(client, {
    name,
    files: await filesOf(folder),
    description: `Imported from ${source}`,
    onFile: (file) => progress(`uploaded ${file.name}  ${file.digest.slice(0, 19)}…`),
  });
}

async function downloadAll(options: ImportOptions, folder: string): Promise<void> {
  for (const { name, at } of hubFiles) {
    const bytes = await firstFound(options, at);
    if (bytes) await writeFile(join(folder, name), bytes);
    else if (name === 'model.onnx')
      throw new CommandFailed(
        `${options.source} holds no ONNX model (looked at ${at.join(', ')}).`,
      );
  }
}

async function firstFound(
  { source, signal, progress }: ImportOptions,
  paths: readonly string[],
): Promise<Uint8Array | undefined> {
  for (const path of paths) {
    const address = `https://huggingface.co/${source}/resolve/main/${path}`;
    const response = await fetch(address, { signal }).catch((cause: unknown) => {
      throw new CommandFailed('The Hugging Face hub cannot be reached from here.', { cause });
    });
    if (!response.ok) continue;
    progress(`downloading ${path}`);
    return new Uint8Array(await response.arrayBuffer());
  }
  return undefined;
}
