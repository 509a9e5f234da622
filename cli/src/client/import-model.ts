import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { CommandFailed } from '../exit.ts';
import { adaptedFiles } from './adapted-files.ts';
import type { GraphClient } from './graph-client.ts';
import { type PushedVersion, pushVersion } from './push-version.ts';

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
  { name: 'config.json', at: ['config.json'] },
];

/** Publishes a folder, a file, or the files of a hub repository, as the next version of a model. */
export async function importModel(
  client: GraphClient,
  options: ImportOptions,
): Promise<PushedVersion> {
  const { source, progress } = options;
  const workFolder = await mkdtemp(join(tmpdir(), 'opea-import-'));
  try {
    const path = await localPath(options, workFolder);
    return await pushVersion(client, {
      name: options.name ?? nameOf(source),
      files: await adaptedFiles({ path, workFolder, progress }),
      description: `Imported from ${basename(source)}`,
      onFile: (file) => progress(`uploaded ${file.name}  ${file.digest.slice(0, 19)}…`),
    });
  } finally {
    await rm(workFolder, { recursive: true, force: true });
  }
}

/** Where the files lie on this machine; a hub repository is downloaded first. */
async function localPath(options: ImportOptions, workFolder: string): Promise<string> {
  const found = await stat(options.source).catch(() => undefined);
  if (found) return options.source;
  if (!/^[\w.-]+\/[\w.-]+$/.test(options.source))
    throw new CommandFailed(
      `${options.source} is neither a folder, nor a file, nor an owner/name on the hub.`,
    );
  await downloadAll(options, workFolder);
  return workFolder;
}

/** A name that the registry takes, from the source's last part. */
function nameOf(source: string): string {
  const last = basename(source)
    .toLowerCase()
    .replace(/\.(gguf|onnx)$/, '');
  return last
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 64);
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
