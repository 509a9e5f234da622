import { CommandFailed, exitCode } from '../exit.ts';
import { table } from '../terminal/table.ts';
import type { AddCommands, CommandContext } from './command.ts';

export const addFeatures: AddCommands = (program, contextOf) => {
  program
    .command('features')
    .description('feature views and their values')
    .command('get')
    .description('the features of entities, as they are online')
    .argument('<view>', 'the feature view')
    .argument('<entity...>', 'each entity as name=id, several names joined by commas')
    .option('--as-of <instant>', 'as it was known at this instant (RFC 3339)')
    .addHelpText('after', '\nExample:\n  opea features get reader_profile reader=r-1 reader=r-2')
    .action((view: string, entities: string[], options: { asOf?: string }, command) =>
      get(contextOf(command), { view, entities, asOf: options.asOf }),
    );
};

interface Answer {
  readonly onlineFeatures: readonly {
    readonly entity: unknown;
    readonly values: readonly {
      readonly name: string;
      readonly value: {
        readonly __typename: 'FreshValue' | 'StaleValue' | 'MissingValue';
        readonly value?: unknown;
        readonly default?: unknown;
        readonly at?: string;
      };
    }[];
  }[];
}

const query = /* GraphQL */ `
  query Features($view: String!, $entities: [JSON!]!, $asOf: DateTime) {
    onlineFeatures(view: $view, entities: $entities, asOf: $asOf) {
      entity
      values {
        name
        value {
          __typename
          ... on FreshValue { value at }
          ... on StaleValue { value at }
          ... on MissingValue { default }
        }
      }
    }
  }
`;

async function get(
  { terminal, connect }: CommandContext,
  asked: { view: string; entities: readonly string[]; asOf: string | undefined },
): Promise<void> {
  await using client = await connect();
  const { view, asOf } = asked;
  const entities = asked.entities.map(entityOf);
  const { onlineFeatures } = await client.ask<Answer>(query, {
    view,
    entities,
    ...(asOf ? { asOf } : {}),
  });
  if (terminal.json) return terminal.result(onlineFeatures);
  terminal.line(
    table(
      ['ENTITY', 'FEATURE', 'STATE', 'VALUE'],
      onlineFeatures.flatMap(({ entity, values }) =>
        values.map(({ name, value }) => [
          JSON.stringify(entity),
          name,
          value.__typename.replace('Value', '').toLowerCase(),
          JSON.stringify(value.value ?? value.default ?? null),
        ]),
      ),
    ),
  );
}

function entityOf(text: string): Readonly<Record<string, string>> {
  const pairs = text.split(',').map((pair) => pair.split('='));
  if (pairs.some((pair) => pair.length !== 2 || pair.includes('')))
    throw new CommandFailed(`${text} is not name=id.`, { exitCode: exitCode.usage });
  return Object.fromEntries(pairs);
}
