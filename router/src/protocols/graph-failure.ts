import { defineError, PlatformError } from '@opea/kernel/errors';
import type { GraphAnswerError } from '../graph.ts';
import type { FieldDetails } from './protocol.ts';

/** A request that cannot be translated, by the field that says why. */
export const invalidRequest = defineError(
  'INVALID_REQUEST',
  400,
  ({ field, problem }: FieldDetails) => `${field}: ${problem}`,
);

export const unsupported = defineError(
  'UNSUPPORTED',
  501,
  ({ reason }: { reason: string }) => reason,
);

/** HTTP's view of the codes with which the graph's parts refuse; whatever is not listed is 500. */
const statuses: Readonly<Record<string, number>> = {
  AMBIGUOUS_VERSION: 400,
  BAD_USER_INPUT: 400,
  INVALID_INPUT: 400,
  WRONG_MODEL_KIND: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  GENERATION_NOT_FOUND: 404,
  MODEL_NOT_FOUND: 404,
  NOT_FOUND: 404,
  CONSUMER_STALLED: 408,
  CONFLICT: 409,
  EXECUTION_FAILED: 422,
  MODEL_REFUSED: 422,
  NON_FINITE_OUTPUT: 422,
  OVERLOADED: 429,
  CANCELLED: 499,
  CIRCUIT_OPEN: 503,
  MODEL_NOT_READY: 503,
  UNAVAILABLE: 503,
  WORKER_CRASHED: 503,
  DEADLINE_EXCEEDED: 504,
};

/** An error of the graph's answer as the refusal of the request that was translated. */
export function graphFailure({ message, extensions }: GraphAnswerError): PlatformError {
  const { code, retryAfterMs, details, errorId } = extensions ?? {};
  const name = typeof code === 'string' ? code : 'INTERNAL_ERROR';
  return new PlatformError({ code: name, status: statuses[name] ?? 500 }, message, {
    details: {
      ...(isRecord(details) && typeof details['field'] === 'string' && { field: details['field'] }),
      ...(typeof retryAfterMs === 'number' && { retryAfterMs }),
      ...(typeof errorId === 'string' && { errorId }),
    },
  });
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
