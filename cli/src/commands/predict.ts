import { readFile } from 'node:fs/promises';
import type { GraphClient } from '../client/graph-client.ts';
import { type TensorArgument, tensorOf } from '../client/nested-tensor.ts';
import { CommandFailed, exitCode } from '../exit.ts';
import type { AddCommands, CommandContext } from './command.ts';

export const addPredict: AddCommands = (program, contextOf) => {
  program
    .command('predict')
    .description('ask a model for outputs')
    .argument('<model>', 'the model')
    .requiredOption(
      '-i, --input <name=value...>',
      'an input as nested JSON, or name=@file.json; once per input',
    )
    .option('--alias <alias>', 'which version, by alias')
    .option('--version-number <n>', 'which version, by number')
    .addHelpText('after', '\nExample:\n  opea predict digits -i image=@image.json')
    .action((model: string, options: PredictOptions, command) =>
      predict(contextOf(command), model, options),
    );
};

interface PredictOptions {
  readonly input: readonly string[];
  readonly alias?: string;
  readonly versionNumber?: string;
}

interface PredictAnswer {
  readonly predict: {
    readonly id: string;
    readonly modelVersion: { readonly number: number; readonly model: { readonly name: string } };
    readonly outputs: readonly { name: string; shape: readonly number[]; data: unknown }[];
    readonly timing: { readonly queueMs: number; readonly computeMs: number };
    readonly batch: { readonly size: number };
  };
}

async function predict(
  { terminal, connect }: CommandContext,
  model: string,
  options: PredictOptions,
): Promise<void> {
  await using client = await connect();
  const inputs = await readInputs(client, model, options.input);
  const { predict: prediction } = await client.ask<PredictAnswer>(
    /* GraphQL */ `mutation Predict($input: PredictInput!) {
      predict(input: $input) {
        id modelVersion { number model { name } } outputs { name shape data }
        timing { queueMs computeMs } batch { size }
      }
    }`,
    {
      input: {
        model,
        inputs,
        ...(options.alias ? { alias: options.alias } : {}),
        ...(options.versionNumber ? { version: Number(options.versionNumber) } : {}),
      },
    },
  );
  if (terminal.json) return terminal.result(prediction);
  for (const { name, shape, data } of prediction.outputs)
    terminal.line(`${name} [${shape.join(', ')}]  ${JSON.stringify(data)}`);
  const { modelVersion, timing, batch, id } = prediction;
  terminal.note(
    `${modelVersion.model.name} version ${modelVersion.number}, ` +
      `${timing.queueMs.toFixed(1)} ms queued, ${timing.computeMs.toFixed(1)} ms computed, ` +
      `batch of ${batch.size}, ${id}`,
  );
}

async function readInputs(
  client: GraphClient,
  model: string,
  given: readonly string[],
): Promise<readonly TensorArgument[]> {
  const datatypes = await inputTypes(client, model);
  return Promise.all(
    given.map(async (text) => {
      const split = text.indexOf('=');
      const name = text.slice(0, split);
      const datatype = datatypes.get(name);
      if (split < 1 || !datatype)
        throw new CommandFailed(
          `${model} has no input ${name || text}. Its inputs are ${[...datatypes.keys()].join(', ')}.`,
          { exitCode: exitCode.usage },
        );
      return tensorOf(name, datatype, await readValue(text.slice(split + 1)));
    }),
  );
}

async function inputTypes(
  client: GraphClient,
  model: string,
): Promise<ReadonlyMap<string, string>> {
  const answer = await client.ask<{
    model: {
      versions: {
        edges: readonly {
          node: { signature: { inputs: readonly { name: string; datatype: string }[] } };
        }[];
      };
    } | null;
  }>(
    /* GraphQL */ `query Signature($name: String!) {
      model(name: $name) {
        versions(first: 1) { edges { node { signature { inputs { name datatype } } } } }
      }
    }`,
    { name: model },
  );
  const newest = answer.model?.versions.edges[0]?.node;
  if (!newest) throw new CommandFailed(`There is no model ${model} with a version.`);
  return new Map(newest.signature.inputs.map(({ name, datatype }) => [name, datatype]));
}

async function readValue(text: string): Promise<unknown> {
  const source = text.startsWith('@') ? await readFile(text.slice(1), 'utf8') : text;
  try {
    return JSON.parse(source);
  } catch {
    throw new CommandFailed(`${text} is not JSON.`, { exitCode: exitCode.usage });
  }
}
