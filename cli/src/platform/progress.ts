import type { Terminal } from '../terminal/terminal.ts';

/** Tells a person what takes its time, one line per step. */
export interface Progress {
  step<Result>(title: string, work: () => Promise<Result>): Promise<Result>;
}

export function progress({ terminal }: { terminal: Terminal }): Progress {
  const { paint } = terminal;
  return {
    async step(title, work) {
      const began = performance.now();
      if (terminal.interactive) terminal.write(`  ${paint.dim('…')} ${title}`);
      try {
        const result = await work();
        const seconds = ((performance.now() - began) / 1_000).toFixed(1);
        const start = terminal.interactive ? '\r' : '';
        terminal.line(`${start}  ${paint.green('✓')} ${title} ${paint.dim(`${seconds} s`)}`);
        return result;
      } catch (error) {
        terminal.line(`${terminal.interactive ? '\r' : ''}  ${paint.red('✗')} ${title}`);
        throw error;
      }
    },
  };
}

export const silentProgress: Progress = { step: (_title, work) => work() };
