import { AsyncLocalStorage } from 'node:async_hooks';

/** What every log line of one piece of work repeats. */
export interface LogContext {
  readonly correlationId?: string;
}

const storage = new AsyncLocalStorage<LogContext>();

/** Runs `work`; every line logged inside carries `context`. */
export const withLogContext = <Result>(context: LogContext, work: () => Result): Result =>
  storage.run({ ...storage.getStore(), ...context }, work);

/** The context of the work that is running now. */
export const logContext = (): LogContext => storage.getStore() ?? {};
