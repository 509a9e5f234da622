import type { Command } from 'commander';
import { findConnection } from '../client/connection.ts';
import { type GraphClient, graphClient } from '../client/graph-client.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** What every command may use. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
  /** The running platform that the options, the environment or the data folder name. */
  connect(): Promise<GraphClient>;
}

/** Adds its subcommands to the program; `contextOf` reads the global options when one runs. */
export type AddCommands = (
  program: Command,
  contextOf: (command: Command) => CommandContext,
) => void;

export interface GlobalOptions {
  readonly url?: string;
  readonly key?: string;
  readonly data: string;
  readonly json?: boolean;
}

export function connector(options: GlobalOptions): () => Promise<GraphClient> {
  return async () =>
    graphClient(
      await findConnection({ url: options.url, key: options.key, dataFolder: options.data }),
    );
}
