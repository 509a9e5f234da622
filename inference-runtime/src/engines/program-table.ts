import type { Program, StartProgram } from './program.ts';
import type { FromWorker, ProgramName, ToWorker, WireError } from './worker-protocol.ts';

export interface ProgramTableOptions {
  readonly starts: Readonly<Record<ProgramName, () => Promise<StartProgram<never>>>>;
  readonly threads: number;
  readonly post: (message: FromWorker, transfer: readonly ArrayBuffer[]) => void;
}

/** The worker's side of the protocol: opens programs, passes calls on, answers each exactly once. */
export function hostPrograms({ starts, threads, post }: ProgramTableOptions): {
  receive(message: unknown): void;
} {
  const programs = new Map<number, Promise<Program>>();
  let last: Promise<unknown> = Promise.resolve();

  function exclusive<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = last.then(work, work);
    last = turn;
    return turn;
  }

  async function open(message: Extract<ToWorker, { type: 'open' }>): Promise<void> {
    const { program, name, init } = message;
    const starting = starts[name]().then((start) =>
      start(init as never, {
        threads,
        exclusive,
        emit: (emitted, transfer = []) =>
          post({ type: 'emitted', program, message: emitted }, transfer),
      }),
    );
    programs.set(program, starting);
    try {
      const { info } = await starting;
      post({ type: 'opened', program, info }, []);
    } catch (reason) {
      programs.delete(program);
      post({ type: 'refused', program, error: wireError(reason) }, []);
    }
  }

  async function call(message: Extract<ToWorker, { type: 'call' }>): Promise<void> {
    try {
      const program = await programs.get(message.program);
      if (program === undefined) throw new Error('The program is not open');
      const { value, transfer = [] } = await program.call(message.method, message.payload);
      post({ type: 'returned', call: message.call, value }, transfer);
    } catch (reason) {
      post({ type: 'threw', call: message.call, error: wireError(reason) }, []);
    }
  }

  async function close(message: Extract<ToWorker, { type: 'close' }>): Promise<void> {
    try {
      const program = await programs.get(message.program);
      programs.delete(message.program);
      await program?.[Symbol.asyncDispose]();
      post({ type: 'returned', call: message.call, value: undefined }, []);
    } catch (reason) {
      post({ type: 'threw', call: message.call, error: wireError(reason) }, []);
    }
  }

  post({ type: 'started' }, []);
  return {
    receive(received) {
      const message = received as ToWorker;
      if (message.type === 'open') void open(message);
      else if (message.type === 'call') void call(message);
      else void close(message);
    },
  };
}

function wireError(reason: unknown): WireError {
  if (!(reason instanceof Error)) return { message: String(reason) };
  const { kind, details } = reason as {
    kind?: { code?: string };
    details?: Readonly<Record<string, unknown>>;
  };
  return {
    message: reason.message,
    ...(kind?.code !== undefined && { code: kind.code }),
    ...(details !== undefined && { details }),
  };
}
