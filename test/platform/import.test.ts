import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tinyGguf, tinyHuggingFaceExport, tinyTokenizer } from '@opea/inference-runtime/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Finished, opea } from '../kit/opea-process.ts';
import { type RunningPlatform, startTestPlatform } from '../kit/running-platform.ts';

let folder: string;
let platform: RunningPlatform;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'opea-import-'));
  platform = await startTestPlatform();
});
afterAll(async () => {
  await platform[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const importing = (source: string, name: string): Promise<Finished> => {
  const { url, apiKey } = platform;
  const target = ['--url', url, '--key', apiKey];
  return opea('model', 'import', source, '--name', name, '--promote', ...target);
};

async function tell(model: string): Promise<{ text: string; usage: { completionTokens: number } }> {
  const { generate } = await platform.client.ask<{
    generate: { text: string; usage: { completionTokens: number } };
  }>(
    'mutation($input: GenerateInput!) { generate(input: $input) { text usage { completionTokens } } }',
    { input: { model, prompt: 'the cat', maxTokens: 8, temperature: 0 } },
  );
  return generate;
}

test('a decoder as Hugging Face exports it is rewritten and answers', async () => {
  const { json, vocab } = tinyTokenizer();
  const { model, config } = tinyHuggingFaceExport({ vocab });
  const source = join(folder, 'export');
  await mkdir(source);
  await writeFile(join(source, 'model.onnx'), model);
  await writeFile(join(source, 'config.json'), config);
  await writeFile(join(source, 'tokenizer.json'), json);

  const { code, stderr, stdout } = await importing(source, 'exported');

  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(stdout).toContain('exported version 1');
  expect((await tell('exported')).usage.completionTokens).toBeGreaterThan(0);
});

test('a GGUF file of a llama is rewritten and answers', async () => {
  const { eos } = tinyTokenizer();
  const source = join(folder, 'Tiny-Llama.gguf');
  await writeFile(source, tinyGguf({ storage: 'Q8_0', eos }).file);

  const { code, stderr } = await importing(source, 'llama');

  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect((await tell('llama')).usage.completionTokens).toBeGreaterThan(0);
});

test('what cannot be served is refused in one sentence, and nothing is published', async () => {
  const source = join(folder, 'strange.gguf');
  await writeFile(source, 'no model at all');

  const { code, stderr } = await importing(source, 'strange');

  expect(code).toBe(1);
  expect(stderr).toMatch(/opea: The model cannot be served: .+/);
  const { model } = await platform.client.ask<{ model: object | null }>(
    '{ model(name: "strange") { name } }',
  );
  expect(model).toBeNull();
});
