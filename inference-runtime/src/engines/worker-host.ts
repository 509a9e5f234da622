import { PlatformError } from '@opea/kernel/errors';
import type { Logger } from '@opea/kernel/log';
import { circuitOpen, executionFailed, unavailable, workerCrashed } from '../errors.ts';
import { type CrashCircuit, crashCircuit } from './crash-circuit.ts';
import type { OpenChannel, WorkerChannel } from './worker-channel.ts';
import type { FromWorker, ProgramName, ToWorker, WireError } from './worker-protocol.ts';

export interface WorkerHostOptions {
  readonly openChannel: OpenChannel;
  readonly threads: number;
  /** Most resident memory of a worker process, bytes. */
  readonly maxMemoryBytes?: number;
  readonly logger: Pick<Logger, 'warn' | 'error'>;
  readonly now: () => number;
  readonly onRestart?: () => void;
}

export interface OpenProgram {
  readonly program: ProgramName;
  /** For logs and errors, for example `digits@3`. */
  readonly name: string;
  /** Structured-cloneable; kept to open the program again after a crash. */
  readonly init: unknown;
}

/** A program that runs in a worker. It survives the worker: a restart opens it again. */
export interface ProgramHandle<Info = unknown> extends AsyncDisposable {
  readonly info: Info;
  /** Waits for a restart that is under way, then runs `method` in the worker. */
  call<Value>(
    method: string,
    payload: unknown,
    options?: { readonly transfer?: readonly ArrayBuffer[] },
  ): Promise<Value>;
  /** Hears what the program emits. Returns how to stop listening. */
  onMessage(listener: (message: unknown) => void): () => void;
  /** Hears that the worker died: everything the program held is gone. Calls under way reject by themselves. */
  onLost(listener: (reason: Error) => void): () => void;
}

interface Hosted {
  readonly id: number;
  readonly opening: OpenProgram;
  readonly circuit: CrashCircuit;
  readonly onMessage: Set<(message: unknown) => void>;
  readonly onLost: Set<(reason: Error) => void>;
  /** Settles when the program is open in the current worker. */
  ready: PromiseWithResolvers<unknown>;
  open: boolean;
  /** Whether it was open once; one that never was is not opened again. */
  known: boolean;
}

interface Call {
  readonly hosted: Hosted;
  readonly resolve: (value: never) => void;
  readonly reject: (reason: Error) => void;
}

/** Keeps one worker alive: what it ran when it died fails, what it hosted is opened again in a new one. */
export class WorkerHost implements AsyncDisposable {
  readonly #options: WorkerHostOptions;
  readonly #hosted = new Map<number, Hosted>();
  readonly #calls = new Map<number, Call>();
  /** Absent while the worker does not start at all; the next call tries again. */
  #channel: WorkerChannel | undefined;
  #failedStarts = 0;
  #life = 0;
  #ids = 0;
  #closed = false;

  constructor(options: WorkerHostOptions) {
    this.#options = options;
    this.#channel = this.#start();
  }

  get programs(): readonly OpenProgram[] {
    return [...this.#hosted.values()].map(({ opening }) => opening);
  }

  get pid(): number | undefined {
    return this.#channel?.pid;
  }

  /** Rejects when the program refuses to start or its worker dies while it does. */
  async open<Info>(opening: OpenProgram): Promise<ProgramHandle<Info>> {
    const hosted: Hosted = {
      id: this.#ids++,
      opening,
      circuit: crashCircuit({
        crashes: 3,
        windowMs: 60_000,
        restMs: 30_000,
        now: this.#options.now,
      }),
      onMessage: new Set(),
      onLost: new Set(),
      ready: withResolvers(),
      open: false,
      known: false,
    };
    this.#hosted.set(hosted.id, hosted);
    this.#sendOpen(hosted);
    try {
      const info = (await hosted.ready.promise) as Info;
      return this.#handle(hosted, info);
    } catch (reason) {
      this.#hosted.delete(hosted.id);
      throw reason;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#failAll(
      () => unavailable({ reason: 'the runtime stops', retryAfterMs: 1_000 }),
      'nobody',
    );
    await this.#channel?.terminate();
  }

  #handle<Info>(hosted: Hosted, info: Info): ProgramHandle<Info> {
    return {
      info,
      call: (method, payload, { transfer = [] } = {}) =>
        this.#call(hosted, { method, payload, transfer }),
      onMessage: (listener) => subscribe(hosted.onMessage, listener),
      onLost: (listener) => subscribe(hosted.onLost, listener),
      [Symbol.asyncDispose]: async () => {
        if (!this.#hosted.delete(hosted.id) || this.#closed || !hosted.open) return;
        await this.#send(hosted, (call) => ({ type: 'close', program: hosted.id, call }), []);
      },
    };
  }

  async #call<Value>(
    hosted: Hosted,
    {
      method,
      payload,
      transfer,
    }: { method: string; payload: unknown; transfer: readonly ArrayBuffer[] },
  ): Promise<Value> {
    const { name } = hosted.opening;
    if (!hosted.open) {
      const retryAfterMs = hosted.circuit.restsForMs();
      if (retryAfterMs > 0) throw circuitOpen({ model: name, retryAfterMs });
      if (this.#closed || !this.#hosted.has(hosted.id))
        throw unavailable({ reason: 'the model is being unloaded', retryAfterMs: 1_000 });
      this.#reopen(hosted);
      await hosted.ready.promise;
    }
    const value = await this.#send<Value>(
      hosted,
      (call) => ({ type: 'call', program: hosted.id, call, method, payload }),
      transfer,
    );
    hosted.circuit.succeeded();
    return value;
  }

  #send<Value>(
    hosted: Hosted,
    message: (call: number) => ToWorker,
    transfer: readonly ArrayBuffer[],
  ): Promise<Value> {
    const call = this.#ids++;
    return new Promise<Value>((resolve, reject) => {
      this.#calls.set(call, { hosted, resolve, reject });
      try {
        this.#post(message(call), transfer);
      } catch (reason) {
        this.#calls.delete(call);
        reject(reason instanceof Error ? reason : new Error(String(reason)));
      }
    });
  }

  #start(): WorkerChannel {
    const life = ++this.#life;
    return this.#options.openChannel({
      threads: this.#options.threads,
      ...(this.#options.maxMemoryBytes !== undefined && {
        maxMemoryBytes: this.#options.maxMemoryBytes,
      }),
      onMessage: (message) => {
        if (life === this.#life) this.#receive(message);
      },
      onExit: (reason) => {
        if (life === this.#life && !this.#closed) this.#restart(reason);
      },
    });
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case 'started':
        this.#failedStarts = 0;
        return;
      case 'opened': {
        const hosted = this.#hosted.get(message.program);
        if (hosted === undefined) return;
        hosted.open = true;
        hosted.known = true;
        hosted.ready.resolve(message.info);
        return;
      }
      case 'refused': {
        const hosted = this.#hosted.get(message.program);
        hosted?.ready.reject(fromWire(hosted.opening.name, message.error));
        return;
      }
      case 'returned':
        this.#settle(message.call)?.resolve(message.value as never);
        return;
      case 'threw': {
        const call = this.#settle(message.call);
        call?.reject(fromWire(call.hosted.opening.name, message.error));
        return;
      }
      case 'emitted':
        for (const listener of this.#hosted.get(message.program)?.onMessage ?? [])
          listener(message.message);
    }
  }

  #settle(id: number): Call | undefined {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    return call;
  }

  #restart(reason: string): void {
    this.#options.logger.error({ reason }, 'an engine worker died; starting another');
    this.#options.onRestart?.();
    this.#channel = undefined;
    this.#failAll((model) => workerCrashed({ model }, new Error(reason)), 'suspects');
    this.#failedStarts += 1;
    if (this.#failedStarts > 3) return;
    for (const hosted of this.#hosted.values())
      if (hosted.circuit.restsForMs() === 0) this.#reopen(hosted);
  }

  /** Whoever was running or starting when the worker died is a suspect; the others only lost their place. */
  #failAll(error: (model: string) => Error, blame: 'suspects' | 'nobody'): void {
    const suspects = new Set<Hosted>();
    for (const [id, { hosted, reject }] of this.#calls) {
      this.#calls.delete(id);
      suspects.add(hosted);
      reject(error(hosted.opening.name));
    }
    for (const hosted of this.#hosted.values()) {
      const lost = error(hosted.opening.name);
      if (!hosted.open) {
        suspects.add(hosted);
        hosted.ready.reject(lost);
      }
      if (!hosted.known) this.#hosted.delete(hosted.id);
      hosted.open = false;
      for (const listener of hosted.onLost) listener(lost);
    }
    if (blame === 'suspects') for (const hosted of suspects) hosted.circuit.crashed();
  }

  #reopen(hosted: Hosted): void {
    if (!hosted.ready.settled) return;
    hosted.ready = withResolvers();
    hosted.ready.promise.catch((reason: unknown) =>
      this.#options.logger.warn(
        { reason, program: hosted.opening.name },
        'a program did not reopen',
      ),
    );
    this.#sendOpen(hosted);
  }

  #sendOpen({ id, opening }: Hosted): void {
    const { program, init } = opening;
    this.#post({ type: 'open', program: id, name: program, init }, []);
  }

  #post(message: ToWorker, transfer: readonly ArrayBuffer[]): void {
    this.#channel ??= this.#start();
    this.#channel.post(message, transfer);
  }
}

interface PromiseWithResolvers<Value> {
  readonly promise: Promise<Value>;
  readonly settled: boolean;
  resolve(value: Value): void;
  reject(reason: Error): void;
}

function withResolvers<Value>(): PromiseWithResolvers<Value> {
  let settled = false;
  let resolve: (value: Value) => void = () => {};
  let reject: (reason: Error) => void = () => {};
  const promise = new Promise<Value>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return {
    promise,
    get settled() {
      return settled;
    },
    resolve(value) {
      settled = true;
      resolve(value);
    },
    reject(reason) {
      settled = true;
      reject(reason);
    },
  };
}

function subscribe<Listener>(listeners: Set<Listener>, listener: Listener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

function fromWire(model: string, { code, message, details }: WireError): Error {
  if (code === undefined) return executionFailed({ model, reason: message });
  return new PlatformError({ code, status: 422 }, message, { ...(details && { details }) });
}
