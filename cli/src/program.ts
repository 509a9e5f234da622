import { Command, CommanderError, Option } from 'commander';
import { type CommandContext, connector, type GlobalOptions } from './commands/command.ts';
import { addDemo } from './commands/demo.ts';
import { addEvents } from './commands/events.ts';
import { addFeatures } from './commands/features.ts';
import { addGenerate } from './commands/generate.ts';
import { addKey } from './commands/key.ts';
import { addModel } from './commands/model.ts';
import { addPredict } from './commands/predict.ts';
import { addStatus } from './commands/status.ts';
import { up } from './commands/up.ts';
import { type Config, readConfig } from './config.ts';
import { CommandFailed, exitCode } from './exit.ts';
import { serversOf } from './platform/servers-of.ts';
import { type Stream, type Terminal, terminal } from './terminal/terminal.ts';

export interface World {
  /** Without the program's own name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Stream;
  readonly stderr: Stream;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
  readonly cores: number;
  readonly modelsFolder: string;
}

/** Runs one command and says how it ended. Never throws. */
export async function runCli(world: World): Promise<number> {
  const json = world.argv.includes('--json');
  try {
    const config = readConfig(world.env);
    await program(world, config).parseAsync([...world.argv], { from: 'user' });
    return exitCode.done;
  } catch (error) {
    return failed(error, { world, json });
  }
}

function program(world: World, config: Config): Command {
  const root = new Command('opea')
    .description('One typed graph over models, features, inference and what they do.')
    .option('--url <url>', 'the platform to talk to (OPEA_URL); else the one of the data folder')
    .option('--key <key>', 'the API key (OPEA_API_KEY); else the one of the data folder')
    .option('--data <folder>', 'the data folder (OPEA_DATA)', config.OPEA_DATA)
    .option('--json', 'one JSON value instead of text')
    .helpCommand(true)
    .showHelpAfterError('(`--help` shows what there is)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void world.stdout.write(text),
      writeErr: (text) => void world.stderr.write(text),
    });
  const globalsOf = (command: Command): GlobalOptions => ({
    ...(config.OPEA_URL ? { url: config.OPEA_URL } : {}),
    ...(config.OPEA_API_KEY ? { key: config.OPEA_API_KEY } : {}),
    ...command.optsWithGlobals<GlobalOptions>(),
  });
  const terminalOf = (command: Command): Terminal =>
    terminal({
      stdout: world.stdout,
      stderr: world.stderr,
      json: globalsOf(command).json === true,
      color: world.stdout.isTTY === true && config.NO_COLOR === undefined,
    });
  const contextOf = (command: Command): CommandContext => ({
    terminal: terminalOf(command),
    signal: world.signal,
    connect: connector(globalsOf(command)),
  });

  addUp(root, { world, config, terminalOf, globalsOf });
  for (const add of [
    addStatus,
    addKey,
    addModel,
    addPredict,
    addGenerate,
    addFeatures,
    addEvents,
    addDemo(world.modelsFolder),
  ])
    add(root, contextOf);
  for (const command of allOf(root)) command.exitOverride();
  return root;
}

function addUp(
  root: Command,
  parts: {
    readonly world: World;
    readonly config: Config;
    readonly terminalOf: (command: Command) => Terminal;
    readonly globalsOf: (command: Command) => GlobalOptions;
  },
): void {
  const { world, config, terminalOf, globalsOf } = parts;
  root
    .command('up')
    .description('run the whole platform in this process, on embedded parts')
    .option(
      '--port <port>',
      'where the graph is served (OPEA_PORT)',
      whole(0, 65_535),
      config.OPEA_PORT,
    )
    .option('--host <address>', 'the address to listen on (OPEA_HOST)', config.OPEA_HOST)
    .addOption(
      new Option('--log-level <level>', 'how much goes to opea.log in the data folder')
        .choices(['debug', 'info', 'warn', 'error', 'silent'])
        .default(config.OPEA_LOG_LEVEL),
    )
    .option('--no-demo', 'begin with an empty workspace: no demo models and features')
    .action((options: UpFlags, command: Command) =>
      up(
        {
          ...options,
          data: globalsOf(command).data,
          cores: config.OPEA_CORES ?? world.cores,
          otlpUrl: config.OPEA_OTLP_URL,
          servers: serversOf(config),
        },
        {
          terminal: terminalOf(command),
          signal: world.signal,
          modelsFolder: world.modelsFolder,
        },
      ),
    );
}

interface UpFlags {
  readonly port: number;
  readonly host: string;
  readonly logLevel: Config['OPEA_LOG_LEVEL'];
  readonly demo: boolean;
}

function allOf(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(allOf)];
}

const whole = (lowest: number, highest: number) => (text: string) => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < lowest || value > highest)
    throw new CommandFailed(`${text} is not a whole number from ${lowest} to ${highest}.`, {
      exitCode: exitCode.usage,
    });
  return value;
};

function failed(error: unknown, { world, json }: { world: World; json: boolean }): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.done : exitCode.usage;
  const known = error instanceof CommandFailed;
  const message = error instanceof Error ? error.message : String(error);
  const code = known ? error.code : undefined;
  if (json) world.stderr.write(`${JSON.stringify({ error: { message, code } })}\n`);
  else world.stderr.write(`opea: ${message}${code ? ` (${code})` : ''}\n`);
  if (known) return error.exitCode;
  return message.startsWith('Invalid configuration') ? exitCode.usage : exitCode.failed;
}
