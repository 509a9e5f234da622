import { CommandFailed, exitCode } from '../exit.ts';
import type { AddCommands, CommandContext } from './command.ts';

export const addGenerate: AddCommands = (program, contextOf) => {
  program
    .command('generate')
    .description('have a language model continue a text; tokens appear as they are computed')
    .argument('<model>', 'the model')
    .argument('<prompt>', 'the text to continue')
    .option('--max-tokens <n>', 'at most so many tokens', number)
    .option('--temperature <t>', '0 always takes the likeliest token', number)
    .option('--top-k <k>', 'only the k likeliest tokens', number)
    .option('--top-p <p>', 'only the likeliest tokens that reach this probability', number)
    .option('--min-p <p>', 'only tokens this likely relative to the likeliest', number)
    .option('--repetition-penalty <x>', 'above 1 discourages repetition', number)
    .option('--seed <n>', 'the same seed gives the same text', number)
    .option('--stop <text...>', 'end before any of these')
    .option('--alias <alias>', 'which version, by alias')
    .action((model: string, prompt: string, options: Settings, command) =>
      generate(contextOf(command), { model, prompt, ...options }),
    );
};

interface Settings {
  readonly maxTokens?: number;
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly repetitionPenalty?: number;
  readonly seed?: number;
  readonly stop?: readonly string[];
  readonly alias?: string;
}

interface Chunk {
  readonly generate: {
    readonly text: string;
    readonly finishReason: string | null;
    readonly usage: { readonly promptTokens: number; readonly completionTokens: number } | null;
    readonly generation: { readonly id: string };
    readonly modelVersion: { readonly number: number; readonly model: { readonly name: string } };
  };
}

const subscription = /* GraphQL */ `
  subscription Generate($input: GenerateInput!) {
    generate(input: $input) {
      text finishReason usage { promptTokens completionTokens }
      generation { id } modelVersion { number model { name } }
    }
  }
`;

async function generate(
  { terminal, connect, signal }: CommandContext,
  input: Settings & { readonly model: string; readonly prompt: string },
): Promise<void> {
  await using client = await connect();
  const pieces: string[] = [];
  const began = performance.now();
  let first: number | undefined;
  let last: Chunk['generate'] | undefined;
  if (!terminal.json) terminal.write(terminal.paint.dim(input.prompt));
  for await (const { generate: chunk } of client.follow<Chunk>(subscription, { input }, signal)) {
    first ??= performance.now() - began;
    last = chunk;
    pieces.push(chunk.text);
    if (!terminal.json) terminal.write(chunk.text);
  }
  if (!terminal.json) terminal.line();
  if (signal.aborted)
    throw new CommandFailed('Cancelled; the server has stopped generating.', {
      exitCode: exitCode.interrupted,
    });
  if (!last) throw new CommandFailed('The stream ended before it began.');
  if (terminal.json) return terminal.result({ ...last, text: pieces.join('') });
  const seconds = (performance.now() - began) / 1_000;
  const tokens = last.usage?.completionTokens ?? pieces.length;
  terminal.note(
    `${last.modelVersion.model.name} version ${last.modelVersion.number}, ${tokens} tokens, ` +
      `first after ${first?.toFixed(0)} ms, ${(tokens / seconds).toFixed(0)} tokens/s, ` +
      `${last.finishReason ?? 'unfinished'}, ${last.generation.id}`,
  );
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value))
    throw new CommandFailed(`${text} is not a number.`, { exitCode: exitCode.usage });
  return value;
}
