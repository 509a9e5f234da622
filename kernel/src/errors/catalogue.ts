import { defineError } from './platform-error.ts';

export const unauthenticated = defineError(
  'UNAUTHENTICATED',
  401,
  (_: Record<string, never>) => 'A valid credential is needed.',
);

export const forbidden = defineError(
  'FORBIDDEN',
  403,
  ({ action }: { action: string }) => `You may not ${action}.`,
);

/** Absent and belonging to somebody else are the same answer. `kind` is a noun: 'model'. */
export const notFound = defineError(
  'NOT_FOUND',
  404,
  ({ kind }: { kind: string; key?: string }) => `There is no such ${kind}.`,
);

export const conflict = defineError('CONFLICT', 409, ({ reason }: { reason: string }) => reason);

export const badUserInput = defineError(
  'BAD_USER_INPUT',
  400,
  ({ reason }: { reason: string; field?: string }) => reason,
);

export const overloaded = defineError(
  'OVERLOADED',
  429,
  (_: { retryAfterMs: number }) => 'Too much work is waiting. Try again later.',
);

export const deadlineExceeded = defineError(
  'DEADLINE_EXCEEDED',
  504,
  (_: Record<string, never>) => 'The request took longer than it may.',
);

export const unavailable = defineError(
  'UNAVAILABLE',
  503,
  (_: { retryAfterMs: number }) => 'A part of the platform does not answer. Try again later.',
);

export const cancelled = defineError(
  'CANCELLED',
  499,
  (_: Record<string, never>) => 'The caller gave up waiting.',
);

/** What a caller sees of a fault of ours; `errorId` finds the log line that tells it all. */
export const internalError = defineError(
  'INTERNAL_ERROR',
  500,
  (_: { errorId: string }) => 'Something went wrong on our side.',
);
