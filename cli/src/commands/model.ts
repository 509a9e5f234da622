import type { GraphClient } from '../client/graph-client.ts';
import { importModel } from '../client/import-model.ts';
import { filesOf, pushVersion } from '../client/push-version.ts';
import { table } from '../terminal/table.ts';
import type { AddCommands, CommandContext } from './command.ts';

export const addModel: AddCommands = (program, contextOf) => {
  const model = program.command('model').description('models and their versions');
  model
    .command('list')
    .description('models, with what their aliases point at')
    .action((_options, command) => list(contextOf(command)));
  model
    .command('push')
    .description('upload files as the next version of a model; registers the model when it is new')
    .argument('<name>', 'the model')
    .argument(
      '<path>',
      'a folder with model.onnx (and tokenizer.json, generation.json), or one .onnx file',
    )
    .option('--description <text>', 'what changed', '')
    .option('--promote [alias]', 'point an alias at the new version (production without a name)')
    .action((name: string, path: string, options: PushOptions, command) =>
      push(contextOf(command), { ...options, name, path }),
    );
  model
    .command('promote')
    .description('point an alias at a version')
    .argument('<name>', 'the model')
    .argument('<number>', "the version's number")
    .option('--alias <alias>', 'the alias', 'production')
    .action((name: string, number: string, { alias }: { alias: string }, command) =>
      promote(contextOf(command), { name, number: Number(number), alias }),
    );
  model
    .command('import')
    .description(
      'take an ONNX folder, a GGUF file, or a Hugging Face repository (owner/name) when online, as a version',
    )
    .argument('<source>', 'a folder, a file, or owner/name')
    .option('--name <name>', "the model; the source's last part without it")
    .option('--promote [alias]', 'point an alias at the new version')
    .action((source: string, options: ImportOptions, command) =>
      importFrom(contextOf(command), source, options),
    );
};

interface PushOptions {
  readonly description: string;
  readonly promote?: string | true;
}

interface ImportOptions {
  readonly name?: string;
  readonly promote?: string | true;
}

interface ListAnswer {
  readonly models: {
    readonly edges: readonly {
      readonly node: {
        readonly name: string;
        readonly owner: { readonly name: string };
        readonly versions: { readonly totalCount: number };
        readonly aliases: readonly { name: string; version: { number: number } }[];
      };
    }[];
  };
}

async function list({ terminal, connect }: CommandContext): Promise<void> {
  await using client = await connect();
  const { models } = await client.ask<ListAnswer>(/* GraphQL */ `
    query Models {
      models(first: 100) {
        edges { node { name owner { name } versions(first: 1) { totalCount } aliases { name version { number } } } }
      }
    }
  `);
  const rows = models.edges.map(({ node }) => node);
  if (terminal.json) return terminal.result(rows);
  terminal.line(
    table(
      ['MODEL', 'OWNER', 'VERSIONS', 'ALIASES'],
      rows.map(({ name, owner, versions, aliases }) => [
        name,
        owner.name,
        String(versions.totalCount),
        aliases.map((alias) => `${alias.name} → ${alias.version.number}`).join(', '),
      ]),
    ),
  );
}

async function push(
  { terminal, connect }: CommandContext,
  options: PushOptions & { readonly name: string; readonly path: string },
): Promise<void> {
  await using client = await connect();
  const { name, description, promote: alias } = options;
  const files = await filesOf(options.path);
  const pushed = await pushVersion(client, {
    name,
    files,
    description,
    onFile: (file) => terminal.note(`uploaded ${file.name}  ${file.digest.slice(0, 19)}…`),
  });
  if (alias !== undefined)
    await promoteTo(client, { name, number: pushed.number, alias: aliasOf(alias) });
  if (terminal.json) return terminal.result(pushed);
  terminal.line(`${name} version ${pushed.number} (${pushed.id})`);
}

async function importFrom(
  { terminal, connect, signal }: CommandContext,
  source: string,
  { name, promote: alias }: ImportOptions,
): Promise<void> {
  await using client = await connect();
  const pushed = await importModel(client, {
    source,
    name,
    signal,
    progress: (line) => terminal.note(line),
  });
  if (alias !== undefined) await promoteTo(client, { ...pushed, alias: aliasOf(alias) });
  if (terminal.json) return terminal.result(pushed);
  terminal.line(`${pushed.name} version ${pushed.number} (${pushed.id})`);
}

async function promote(
  { terminal, connect }: CommandContext,
  target: { name: string; number: number; alias: string },
): Promise<void> {
  await using client = await connect();
  const promoted = await promoteTo(client, target);
  if (terminal.json) return terminal.result(promoted);
  const before = promoted.previous ? ` (was version ${promoted.previous.number})` : '';
  terminal.line(`${target.name}: ${target.alias} → version ${target.number}${before}`);
}

interface Promoted {
  readonly previous: { readonly number: number } | null;
  readonly position: string;
}

async function promoteTo(
  client: GraphClient,
  { name, number, alias }: { name: string; number: number; alias: string },
): Promise<Promoted> {
  const { promoteVersion } = await client.ask<{ promoteVersion: Promoted }>(
    /* GraphQL */ `mutation Promote($input: PromoteVersionInput!) {
      promoteVersion(input: $input) { previous { number } position }
    }`,
    { input: { model: name, number, alias } },
  );
  return promoteVersion;
}

const aliasOf = (given: string | true): string => (given === true ? 'production' : given);
