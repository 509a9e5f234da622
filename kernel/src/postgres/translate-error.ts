import { DatabaseError } from 'pg';
import {
  badUserInput,
  conflict,
  deadlineExceeded,
  PlatformError,
  unavailable,
} from '../errors/index.ts';

/** Turns what a driver throws into the catalogue, where a caller can act on it; constraint violations stay as they are. */
export function translateError(error: unknown): unknown {
  if (error instanceof PlatformError) return error;
  if (error instanceof DatabaseError) return fromServer(error);
  return unavailable({ retryAfterMs: 1_000 }, error);
}

/** Whether a statement failed because such a row exists already (SQLSTATE 23505), on that constraint if one is named. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  return (
    error instanceof DatabaseError &&
    error.code === '23505' &&
    (constraint === undefined || error.constraint === constraint)
  );
}

function fromServer(error: DatabaseError): unknown {
  const code = error.code ?? '';
  if (code === '57014') return deadlineExceeded({}, error);
  if (code === '40001' || code === '40P01') {
    return conflict({ reason: 'Somebody else changed the same data at the same time.' }, error);
  }
  // Only text that a caller sent holds what no text column can.
  if (code === '22021' || code === '22P05') {
    return badUserInput({ reason: 'Text may not hold the NUL character.' }, error);
  }
  const gone = code.startsWith('08') || code.startsWith('53') || code.startsWith('57P');
  return gone ? unavailable({ retryAfterMs: 1_000 }, error) : error;
}
