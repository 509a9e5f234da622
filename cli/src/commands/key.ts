import { table } from '../terminal/table.ts';
import type { AddCommands, CommandContext } from './command.ts';

interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
}

const keyFields = /* GraphQL */ `id name prefix createdAt expiresAt revokedAt`;

export const addKey: AddCommands = (program, contextOf) => {
  const key = program.command('key').description('API keys');
  key
    .command('create')
    .description('create a key; its secret is shown once')
    .argument('<name>', 'what the key is for')
    .option('--expires-days <days>', 'days until it expires (1 to 3650); never without it')
    .option('--principal <id>', 'whose key; your own without it')
    .action((name: string, options: CreateOptions, command) =>
      create(contextOf(command), name, options),
    );
  key
    .command('list')
    .description('your keys, newest first')
    .action((_options, command) => list(contextOf(command)));
  key
    .command('revoke')
    .description('make a key worthless at once')
    .argument('<id>', 'the id that `opea key list` shows')
    .action((id: string, _options, command) => revoke(contextOf(command), id));
};

interface CreateOptions {
  readonly expiresDays?: string;
  readonly principal?: string;
}

async function create(
  { terminal, connect }: CommandContext,
  name: string,
  options: CreateOptions,
): Promise<void> {
  await using client = await connect();
  const input = {
    name,
    ...(options.expiresDays ? { expiresInDays: Number(options.expiresDays) } : {}),
    ...(options.principal ? { principalId: options.principal } : {}),
  };
  const { createApiKey } = await client.ask<{ createApiKey: { apiKey: ApiKey; secret: string } }>(
    /* GraphQL */ `mutation CreateKey($input: CreateApiKeyInput!) {
      createApiKey(input: $input) { secret apiKey { ${keyFields} } }
    }`,
    { input },
  );
  if (terminal.json) return terminal.result(createApiKey);
  terminal.line(createApiKey.secret);
  terminal.note(`Key ${createApiKey.apiKey.id} "${name}". This is the only time it is shown.`);
}

async function list({ terminal, connect }: CommandContext): Promise<void> {
  await using client = await connect();
  const { me } = await client.ask<{ me: { apiKeys: { edges: readonly { node: ApiKey }[] } } }>(
    `query Keys { me { apiKeys(first: 100) { edges { node { ${keyFields} } } } } }`,
  );
  const keys = me.apiKeys.edges.map(({ node }) => node);
  if (terminal.json) return terminal.result(keys);
  terminal.line(
    table(
      ['ID', 'NAME', 'PREFIX', 'STATE'],
      keys.map((key) => [key.id, key.name, key.prefix, stateOf(key)]),
    ),
  );
}

async function revoke({ terminal, connect }: CommandContext, id: string): Promise<void> {
  await using client = await connect();
  const { revokeApiKey } = await client.ask<{ revokeApiKey: { apiKey: ApiKey } }>(
    /* GraphQL */ `mutation RevokeKey($input: RevokeApiKeyInput!) {
      revokeApiKey(input: $input) { apiKey { ${keyFields} } }
    }`,
    { input: { id } },
  );
  if (terminal.json) return terminal.result(revokeApiKey.apiKey);
  terminal.line(`Revoked ${revokeApiKey.apiKey.id}. Every router refuses it within 5 s.`);
}

function stateOf({ revokedAt, expiresAt }: ApiKey): string {
  if (revokedAt) return `revoked ${revokedAt}`;
  return expiresAt ? `until ${expiresAt}` : 'works';
}
