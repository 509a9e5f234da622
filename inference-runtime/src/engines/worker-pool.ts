import type { Logger } from '@opea/kernel/log';
import { processChannel, threadChannel } from './worker-channel.ts';
import { type OpenProgram, type ProgramHandle, WorkerHost } from './worker-host.ts';

export interface WorkerPoolOptions {
  /** Worker threads. Workers × threads must not exceed the cores: oversubscribed runs are 2 to 4 times slower. */
  readonly workers: number;
  /** Intra-op threads of each worker. */
  readonly threadsPerWorker: number;
  /** Most resident memory of a worker process, bytes. Threads share the process and are not limited. */
  readonly processMemoryBytes?: number;
  readonly logger: Pick<Logger, 'warn' | 'error'>;
  readonly now: () => number;
  readonly onRestart?: () => void;
}

export interface PlaceOptions {
  /** `process`: a child process of its own. Default `thread`. */
  readonly isolation?: 'thread' | 'process';
  /** Workers to avoid, because they host this program already. */
  readonly not?: ReadonlySet<WorkerHost>;
}

export interface WorkerPool extends AsyncDisposable {
  readonly workers: number;
  /** Starts a program in the worker with the least to do. Disposing the handle closes it. */
  open<Info>(opening: OpenProgram, options?: PlaceOptions): Promise<ProgramHandle<Info>>;
  /** Starts the same program in up to `count` different workers. */
  openMany<Info>(
    opening: OpenProgram,
    count: number,
    options?: PlaceOptions,
  ): Promise<readonly ProgramHandle<Info>[]>;
}

/** Engine workers, and which program lives in which. Workers start when they are first needed. */
export function startWorkerPool(options: WorkerPoolOptions): WorkerPool {
  const { workers, threadsPerWorker: threads, logger, now, onRestart } = options;
  const maxMemoryBytes = options.processMemoryBytes;
  const base = { threads, logger, now, ...(onRestart && { onRestart }) };
  const hosts: WorkerHost[] = [];
  const isolated = new Set<WorkerHost>();

  function place(program: OpenProgram['program'], not: ReadonlySet<WorkerHost>): WorkerHost {
    const free = hosts.filter((host) => !not.has(host));
    const [best] = free.toSorted((a, b) => crowd(a, program) - crowd(b, program));
    if (hosts.length < workers && (best === undefined || best.programs.length > 0)) {
      const host = new WorkerHost({ ...base, openChannel: threadChannel });
      hosts.push(host);
      return host;
    }
    if (best === undefined) throw new Error('Every worker hosts this program already');
    return best;
  }

  async function open<Info>(
    opening: OpenProgram,
    { isolation = 'thread', not = new Set<WorkerHost>() }: PlaceOptions = {},
  ) {
    if (isolation === 'thread') return place(opening.program, not).open<Info>(opening);

    const host = new WorkerHost({
      ...base,
      openChannel: processChannel,
      ...(maxMemoryBytes !== undefined && { maxMemoryBytes }),
    });
    isolated.add(host);
    const stop = async () => {
      isolated.delete(host);
      await host[Symbol.asyncDispose]();
    };
    try {
      const handle = await host.open<Info>(opening);
      return { ...handle, [Symbol.asyncDispose]: stop };
    } catch (reason) {
      await stop();
      throw reason;
    }
  }

  return {
    workers,
    open,
    async openMany<Info>(
      opening: OpenProgram,
      count: number,
      { isolation = 'thread' }: PlaceOptions = {},
    ) {
      const handles: ProgramHandle<Info>[] = [];
      const taken = new Set<WorkerHost>();
      try {
        for (let instance = 0; instance < Math.min(count, workers); instance++) {
          if (isolation === 'process') {
            handles.push(await open<Info>(opening, { isolation }));
            continue;
          }
          const host = place(opening.program, taken);
          taken.add(host);
          handles.push(await host.open<Info>(opening));
        }
        return handles;
      } catch (reason) {
        await Promise.all(handles.map((handle) => handle[Symbol.asyncDispose]()));
        throw reason;
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...hosts, ...isolated].map((host) => host[Symbol.asyncDispose]()));
    },
  };
}

/** Programs of the other class weigh more: a decoder's steps should not wait behind a large batch. */
function crowd(host: WorkerHost, program: OpenProgram['program']): number {
  return host.programs.reduce((sum, other) => sum + (other.program === program ? 1 : 4), 0);
}
