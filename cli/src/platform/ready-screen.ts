import type { Terminal } from '../terminal/terminal.ts';

export interface Ready {
  readonly url: string;
  readonly apiKey: string;
  readonly dataFolder: string;
  /** From the command to this screen, in s. */
  readonly seconds: number;
}

/** All that a newcomer needs on one screen; the two commands work as they stand. */
export function readyScreen(terminal: Terminal, ready: Ready): void {
  if (terminal.json) return terminal.result(ready);
  const { paint } = terminal;
  const { url, apiKey, dataFolder, seconds } = ready;
  const label = (text: string) => paint.dim(text.padEnd(10));
  terminal.line();
  terminal.line(
    `  ${paint.green(paint.bold('opea-graph is ready'))} ${paint.dim(`after ${seconds.toFixed(1)} s`)}`,
  );
  terminal.line();
  terminal.line(`  ${label('Graph')}${url}/graphql`);
  terminal.line(`  ${label('Explorer')}${url}/explorer`);
  terminal.line(`  ${label('API key')}${apiKey}`);
  terminal.line(`  ${label('Data')}${dataFolder}`);
  terminal.line();
  terminal.line(`  ${paint.bold('Ask')} which models there are:`);
  terminal.line();
  terminal.line(queryCommand(url, apiKey));
  terminal.line();
  terminal.line(`  ${paint.bold('Stream')} a tale, token by token:`);
  terminal.line();
  terminal.line(streamCommand(url, apiKey));
  terminal.line();
  terminal.line(`  ${paint.dim('`npx opea demo` is a tour. Ctrl-C stops; the data stays.')}`);
}

export const queryCommand = (url: string, apiKey: string): string =>
  `curl -s ${url}/graphql -H 'authorization: Bearer ${apiKey}' -H 'content-type: application/json' ` +
  `-d '{"query":"{ models { edges { node { name alias { number kind } owner { name } } } } }"}'`;

export const streamCommand = (url: string, apiKey: string): string =>
  `curl -sN ${url}/graphql -H 'authorization: Bearer ${apiKey}' -H 'content-type: application/json' ` +
  `-H 'accept: text/event-stream' ` +
  `-d '{"query":"subscription { generate(input: { model: \\"storyteller\\", prompt: \\"Once upon a time\\", maxTokens: 60 }) { text } }"}'`;
