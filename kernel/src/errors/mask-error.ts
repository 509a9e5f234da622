import { newId } from '../ids/index.ts';
import { cancelled, deadlineExceeded, internalError } from './catalogue.ts';
import { PlatformError } from './platform-error.ts';

/** The part of a logger that masking needs. */
export interface ErrorLog {
  error(fields: object, message: string): void;
}

/**
 * What the caller may see of anything thrown. Errors of a catalogue pass; aborts become CANCELLED, timeouts
 * DEADLINE_EXCEEDED; the rest is logged once with a new error id and leaves as INTERNAL_ERROR carrying only that id.
 */
export function maskError(error: unknown, log: ErrorLog): PlatformError {
  if (error instanceof PlatformError) return error;
  if (named(error, 'AbortError')) return cancelled({}, error);
  if (named(error, 'TimeoutError')) return deadlineExceeded({}, error);
  const errorId = newId();
  log.error({ err: error, errorId }, 'unexpected error');
  return internalError({ errorId }, error);
}

function named(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}
