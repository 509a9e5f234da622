import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { adaptGguf, adaptHuggingFaceExport } from '@opea/inference-runtime/generation';
import { readOnnxSignature } from '@opea/kernel/onnx';
import { CommandFailed } from '../exit.ts';
import { filesOf, type ModelFile } from './push-version.ts';

export interface AdaptOptions {
  /** A folder with an ONNX export or a `.gguf` file, or such a file. */
  readonly path: string;
  /** Where adapted files may be written. */
  readonly workFolder: string;
  readonly progress: (line: string) => void;
}

/**
 * The files of a model as the runtime serves them. A decoder that Hugging Face's optimum exported, and a GGUF file of a
 * llama-like model, are rewritten into the runtime's layout; everything else is left as it is.
 */
export async function adaptedFiles(options: AdaptOptions): Promise<readonly ModelFile[]> {
  const gguf = await ggufIn(options.path);
  if (gguf) return fromGguf(gguf, options);
  const files = await filesOf(options.path);
  return isHuggingFaceDecoder(files) ? fromHuggingFace(files, options) : files;
}

async function ggufIn(path: string): Promise<string | undefined> {
  if (path.endsWith('.gguf')) return path;
  if (!(await stat(path)).isDirectory()) return undefined;
  const name = (await readdir(path)).find((file) => file.endsWith('.gguf'));
  return name && join(path, name);
}

async function fromGguf(
  gguf: string,
  { workFolder, progress }: AdaptOptions,
): Promise<readonly ModelFile[]> {
  progress(`rewriting ${gguf} as ONNX`);
  const bytes = await readFile(gguf);
  const { model, tokenizer } = adapted(() => adaptGguf(bytes));
  await writeFile(join(workFolder, 'model.onnx'), model);
  await writeFile(join(workFolder, 'tokenizer.json'), tokenizer);
  return ['model.onnx', 'tokenizer.json'].map((name) => ({ name, path: join(workFolder, name) }));
}

function isHuggingFaceDecoder(files: readonly ModelFile[]): boolean {
  const model = files.find(({ name }) => name === 'model.onnx');
  if (!model) return false;
  const { inputs } = readOnnxSignature(model.path);
  return inputs.some(({ name }) => name.startsWith('past_key_values.'));
}

async function fromHuggingFace(
  files: readonly ModelFile[],
  { path, workFolder, progress }: AdaptOptions,
): Promise<readonly ModelFile[]> {
  progress("rewriting the export into the runtime's layout");
  const config = await readFile(join(path, 'config.json'), 'utf8').catch(() => {
    throw new CommandFailed(`${path} holds no config.json, which an exported decoder needs.`);
  });
  return Promise.all(
    files.map(async (file) => {
      if (file.name !== 'model.onnx') return file;
      const model = await readFile(file.path);
      const target = join(workFolder, 'adapted.onnx');
      await writeFile(
        target,
        adapted(() => adaptHuggingFaceExport({ model, config })),
      );
      return { name: file.name, path: target };
    }),
  );
}

function adapted<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'it has another form';
    throw new CommandFailed(`The model cannot be served: ${reason}.`.replace('..', '.'), { cause });
  }
}
