import { cancelled, deadlineExceeded } from '../errors/index.ts';

/** `work`'s result, or CANCELLED as soon as `signal` aborts (DEADLINE_EXCEEDED when it aborts by a timeout). `work` itself runs on. */
export function abortable<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(reasonOf(signal));
    if (signal.aborted) {
      work.catch(() => {});
      abort();
      return;
    }
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** Runs `work` with a signal that aborts after `ms`, or with the caller's own; then throws DEADLINE_EXCEEDED or CANCELLED. */
export async function withDeadline<Result>(
  ms: number,
  work: (signal: AbortSignal) => Promise<Result>,
  parent?: AbortSignal,
): Promise<Result> {
  const aborter = new AbortController();
  const timer = setTimeout(() => aborter.abort(deadlineExceeded({})), ms);
  const pass = () => aborter.abort(parent?.reason);
  if (parent?.aborted) pass();
  parent?.addEventListener('abort', pass, { once: true });
  try {
    return await abortable(work(aborter.signal), aborter.signal);
  } finally {
    clearTimeout(timer);
    parent?.removeEventListener('abort', pass);
  }
}

/** A signal that aborts with the first of those given; those not given are left out. */
export function anySignal(...signals: readonly (AbortSignal | undefined)[]): AbortSignal {
  return AbortSignal.any(signals.filter((signal) => signal !== undefined));
}

function reasonOf(signal: AbortSignal): Error {
  const { reason } = signal;
  if (reason instanceof Error && reason.name === 'TimeoutError')
    return deadlineExceeded({}, reason);
  if (reason instanceof Error && reason.name !== 'AbortError') return reason;
  return cancelled({}, reason);
}
