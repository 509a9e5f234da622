import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { filesOf, type GraphClient, type PushedVersion, pushVersion } from '@opea/cli/client';
import { tinyDecoder, tinyTokenizer } from '@opea/inference-runtime/testing';

/** Where the trained models of the repository lie. */
export const modelsFolder = fileURLToPath(
  new URL('../../inference-runtime/models/', import.meta.url),
);

/** Publishes the trained classifier of handwritten digits and puts it into production. */
export async function serveDigits(client: GraphClient): Promise<PushedVersion> {
  const pushed = await pushVersion(client, {
    name: 'digits',
    files: await filesOf(join(modelsFolder, 'digits')),
  });
  await promote(client, pushed);
  return pushed;
}

/** Publishes a decoder with random weights and puts it into production: nonsense, at full speed. */
export async function serveBabbler(client: GraphClient, name = 'babbler'): Promise<PushedVersion> {
  const folder = await mkdtemp(join(tmpdir(), 'opea-babbler-'));
  try {
    const { json, vocab, eos } = tinyTokenizer();
    await writeFile(join(folder, 'model.onnx'), tinyDecoder({ vocab, eos, context: 512 }));
    await writeFile(join(folder, 'tokenizer.json'), json);
    await writeFile(join(folder, 'generation.json'), JSON.stringify({ maxTokens: 64 }));
    const pushed = await pushVersion(client, { name, files: await filesOf(folder) });
    await promote(client, pushed);
    return pushed;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export async function promote(
  client: GraphClient,
  { name, number }: Pick<PushedVersion, 'name' | 'number'>,
): Promise<void> {
  await client.ask(
    'mutation Promote($input: PromoteVersionInput!) { promoteVersion(input: $input) { position } }',
    { input: { model: name, number } },
  );
}
