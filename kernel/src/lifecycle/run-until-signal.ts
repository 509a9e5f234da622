export interface Process {
  once(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
}

/** Keeps a service up until the operator asks for it to stop. */
export async function runUntilSignal(service: AsyncDisposable, process: Process): Promise<void> {
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  await service[Symbol.asyncDispose]();
}
