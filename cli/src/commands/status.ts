import { table } from '../terminal/table.ts';
import type { AddCommands, CommandContext } from './command.ts';

interface StatusAnswer {
  readonly me: { readonly name: string; readonly roles: readonly string[] };
  readonly tenant: { readonly name: string };
  readonly models: { readonly totalCount: number; readonly edges: readonly { node: ModelRow }[] };
}

interface ModelRow {
  readonly name: string;
  readonly alias: {
    readonly number: number;
    readonly kind: string;
    readonly serving: { readonly state: string; readonly reason: string | null };
  } | null;
}

const query = /* GraphQL */ `
  query Status {
    me { name roles }
    tenant { name }
    models(first: 100) {
      totalCount
      edges { node { name alias { number kind serving { state reason } } } }
    }
  }
`;

export const addStatus: AddCommands = (program, contextOf) => {
  program
    .command('status')
    .description('whether the platform is up, who you are, and what it serves')
    .action((_options, command) => status(contextOf(command)));
};

async function status({ terminal, connect }: CommandContext): Promise<void> {
  await using client = await connect();
  const { me, tenant, models } = await client.ask<StatusAnswer>(query);
  const { paint } = terminal;
  if (terminal.json) return terminal.result({ url: client.url, me, tenant, models });
  terminal.line(`${paint.green('up')}  ${client.url}/graphql`);
  terminal.line(`you  ${me.name} of ${tenant.name} (${me.roles.join(', ')})`);
  terminal.line();
  terminal.line(
    table(
      ['MODEL', 'PRODUCTION', 'KIND', 'SERVING'],
      models.edges.map(({ node: { name, alias } }) => [
        name,
        alias ? `version ${alias.number}` : 'none',
        alias?.kind ?? '',
        alias ? [alias.serving.state, alias.serving.reason].filter(Boolean).join(': ') : '',
      ]),
    ),
  );
}
