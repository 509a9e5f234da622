import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { PlanningFailed } from './planner.ts';

export interface PlannerProcess extends AsyncDisposable {
  ready(): Promise<void>;
  /** The plan as JSON. Rejects with `PlanningFailed`, or with the signal's reason when it aborts. */
  ask(operation: string, signal: AbortSignal): Promise<string>;
}

export interface PlannerProcessOptions {
  /** A file of the `worker` folder. */
  readonly script: 'native-planner.mjs' | 'apollo-planner.mjs';
  readonly supergraphSdl: string;
}

/**
 * A planner in a process of its own. Planners run long on hostile operations, and the native one
 * aborts its whole process on some valid ones: both end this process only, which then starts
 * again. It plans one operation at a time, so the one that ended it is known.
 */
export function plannerProcess(options: PlannerProcessOptions): PlannerProcess {
  let running = startRun(options);
  let isStopped = false;
  let turn: Promise<unknown> = Promise.resolve();

  async function askNow(operation: string, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    if (isStopped) throw new PlanningFailed('The planner was stopped.');
    if (running.isOver()) running = startRun(options);
    await running.ready;
    return running.ask(operation, signal);
  }

  return {
    ready: () => running.ready,
    ask(operation, signal) {
      const answer = turn.then(() => askNow(operation, signal));
      turn = answer.catch(() => {});
      return answer;
    },
    async [Symbol.asyncDispose]() {
      isStopped = true;
      await running.stop();
    },
  };
}

interface Run {
  readonly ready: Promise<void>;
  isOver(): boolean;
  ask(operation: string, signal: AbortSignal): Promise<string>;
  stop(): Promise<void>;
}

type Answer =
  | { readonly plan?: string; readonly error?: string; readonly failed?: string }
  | 'ready';

function startRun({ script, supergraphSdl }: PlannerProcessOptions): Run {
  const child = fork(fileURLToPath(new URL(`../../worker/${script}`, import.meta.url)), {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  let isOver = false;
  let waiting: ((answer: Answer | undefined) => void) | undefined;
  const gone = new Promise<void>((resolve) => {
    const end = () => {
      isOver = true;
      waiting?.(undefined);
      resolve();
    };
    child.once('exit', end);
    child.once('error', end);
  });
  child.on('message', (answer: Answer) => waiting?.(answer));
  rest(child);

  /** Sends one message and waits for its answer; undefined when the process ended instead. */
  const exchange = async (message: object): Promise<Answer | undefined> => {
    if (isOver) return undefined;
    child.ref();
    child.channel?.ref();
    try {
      return await new Promise<Answer | undefined>((resolve) => {
        waiting = resolve;
        child.send(message, (error) => {
          if (error) resolve(undefined);
        });
      });
    } finally {
      waiting = undefined;
      rest(child);
    }
  };

  const ready = exchange({ supergraphSdl }).then((answer) => {
    if (answer === 'ready') return;
    const reason = answer?.failed ?? 'its process ended';
    throw new PlanningFailed(`The planner did not start: ${reason}.`);
  });
  ready.catch(() => {});

  return {
    ready,
    isOver: () => isOver,
    async ask(operation, signal) {
      const kill = () => child.kill('SIGKILL');
      signal.addEventListener('abort', kill, { once: true });
      try {
        const answer = await exchange({ operation });
        signal.throwIfAborted();
        if (answer === undefined || answer === 'ready') {
          throw new PlanningFailed('The planner ended while it planned an operation.');
        }
        if (answer.plan === undefined) {
          throw new PlanningFailed(`The planner has no plan: ${answer.error ?? ''}`);
        }
        return answer.plan;
      } finally {
        signal.removeEventListener('abort', kill);
      }
    },
    async stop() {
      if (isOver) return;
      child.ref();
      child.kill('SIGKILL');
      await gone;
    },
  };
}

/** Nothing is being planned: the process keeps nobody from ending. */
function rest(child: ChildProcess): void {
  child.unref();
  child.channel?.unref();
}
