import type { AddCommands, CommandContext } from './command.ts';

export const addEvents: AddCommands = (program, contextOf) => {
  program
    .command('events')
    .description('what happens on the platform')
    .command('tail')
    .description('events of the registry and the feature store as they happen; Ctrl-C ends')
    .option('--type <type...>', 'only these types, such as registry.alias-moved.v1')
    .option('--after <cursor>', 'everything after this registry cursor first')
    .action((options: TailOptions, command) => tail(contextOf(command), options));
};

interface TailOptions {
  readonly type?: readonly string[];
  readonly after?: string;
}

interface PlatformEvent {
  readonly type: string;
  readonly at: string;
  readonly data: unknown;
  readonly cursor: string;
}

async function tail(
  { terminal, connect, signal }: CommandContext,
  { type, after }: TailOptions,
): Promise<void> {
  await using client = await connect();
  terminal.note(`following ${client.url}, Ctrl-C ends`);
  const variables = { types: type ?? null, after: after ?? null };
  await Promise.all(
    ['registryEvents', 'featureEvents'].map(async (field) => {
      const own = field === 'registryEvents' ? variables : { ...variables, after: null };
      const events = client.follow<Record<string, PlatformEvent>>(
        `subscription Tail($types: [String!], $after: String) {
          ${field}(types: $types, after: $after) { type at data cursor }
        }`,
        own,
        signal,
      );
      for await (const event of events) if (event[field]) print(terminal, event[field]);
    }),
  );
}

function print(terminal: CommandContext['terminal'], event: PlatformEvent): void {
  if (terminal.json) return terminal.line(JSON.stringify(event));
  const { paint } = terminal;
  terminal.line(
    `${paint.dim(event.at)}  ${paint.bold(event.type)}  ${JSON.stringify(event.data)}  ${paint.dim(event.cursor)}`,
  );
}
