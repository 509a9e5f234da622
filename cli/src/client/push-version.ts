import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CommandFailed, exitCode } from '../exit.ts';
import type { GraphClient } from './graph-client.ts';

export interface ModelFile {
  /** As the version will name it. */
  readonly name: string;
  readonly path: string;
}

export interface PushedVersion {
  readonly id: string;
  readonly name: string;
  readonly number: number;
  readonly position: string;
}

export interface PushOptions {
  readonly name: string;
  readonly files: readonly ModelFile[];
  readonly description?: string;
  /** What `PublishVersionInput.lineage` takes. */
  readonly lineage?: object;
  readonly features?: readonly { readonly name: string; readonly version: number }[];
  readonly onFile?: (file: { name: string; digest: string; size: number }) => void;
}

/** The files that make a version: those of a folder that the runtime reads, or a single model file. */
export async function filesOf(path: string): Promise<readonly ModelFile[]> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new CommandFailed(`There is nothing at ${path}.`, { exitCode: exitCode.usage });
  if (found.isFile()) return [{ name: 'model.onnx', path }];
  const names = (await readdir(path)).filter(isServed).toSorted();
  if (!names.includes('model.onnx'))
    throw new CommandFailed(`${path} holds no model.onnx.`, { exitCode: exitCode.usage });
  return names.map((name) => ({ name: basename(name), path: join(path, name) }));
}

/** Uploads the files, registers the model when it is new, and publishes its next version. */
export async function pushVersion(
  client: GraphClient,
  options: PushOptions,
): Promise<PushedVersion> {
  const files: { name: string; digest: string }[] = [];
  for (const { name, path } of options.files) {
    const uploaded = await client.upload(path);
    options.onFile?.({ name, ...uploaded });
    files.push({ name, digest: uploaded.digest });
  }
  await registerIfNew(client, options.name);
  const { publishVersion } = await client.ask<{
    publishVersion: { position: string; modelVersion: { id: string; number: number } };
  }>(
    /* GraphQL */ `mutation Publish($input: PublishVersionInput!) {
      publishVersion(input: $input) { position modelVersion { id number } }
    }`,
    {
      input: {
        model: options.name,
        files,
        description: options.description ?? '',
        features: options.features ?? [],
        ...(options.lineage ? { lineage: options.lineage } : {}),
      },
    },
  );
  const { position, modelVersion } = publishVersion;
  return { name: options.name, position, ...modelVersion };
}

const isServed = (name: string): boolean =>
  name.endsWith('.onnx') || ['tokenizer.json', 'generation.json'].includes(name);

async function registerIfNew(client: GraphClient, name: string): Promise<void> {
  try {
    await client.ask(
      /* GraphQL */ `mutation Register($input: RegisterModelInput!) {
        registerModel(input: $input) { position }
      }`,
      { input: { name } },
    );
  } catch (error) {
    if (!(error instanceof CommandFailed && error.code === 'MODEL_EXISTS')) throw error;
  }
}
