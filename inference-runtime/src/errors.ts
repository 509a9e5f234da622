import { defineError } from '@opea/kernel/errors';

/** The runtime's error catalogue: code, HTTP status, one sentence. */
export const overloaded = defineError<{ model: string; reason: string; retryAfterMs: number }>(
  'OVERLOADED',
  429,
  () => 'Too much work is waiting; try again later',
);
export const deadlineExceeded = defineError<{ model: string; stage: 'QUEUED' | 'RUNNING' }>(
  'DEADLINE_EXCEEDED',
  504,
  () => 'The deadline passed before an answer was ready',
);
export const cancelled = defineError<Record<string, never>>(
  'CANCELLED',
  499,
  () => 'The caller cancelled the request',
);
export const unavailable = defineError<{ reason: string; retryAfterMs: number }>(
  'UNAVAILABLE',
  503,
  () => 'The runtime cannot take this request now; try again later',
);
export const modelNotFound = defineError<{ model: string }>(
  'MODEL_NOT_FOUND',
  404,
  ({ model }) => `No such model, alias or version: ${model}`,
);
export const modelNotReady = defineError<{ model: string; reason: string }>(
  'MODEL_NOT_READY',
  503,
  ({ model, reason }) => `The model ${model} cannot serve: ${reason}`,
);
export const modelRefused = defineError<{ model: string; reason: string }>(
  'MODEL_REFUSED',
  422,
  ({ model, reason }) => `The model ${model} cannot be loaded: ${reason}`,
);
export const wrongModelKind = defineError<{ model: string; kind: string }>(
  'WRONG_MODEL_KIND',
  400,
  ({ model, kind }) => `The model ${model} is of kind ${kind} and does not answer this request`,
);
export const invalidInput = defineError<{ field: string; problem: string }>(
  'INVALID_INPUT',
  400,
  ({ field, problem }) => `${field}: ${problem}`,
);
export const nonFiniteOutput = defineError<{ model: string }>(
  'NON_FINITE_OUTPUT',
  422,
  ({ model }) => `The model ${model} answered with NaN or an infinity`,
);
export const executionFailed = defineError<{ model: string; reason: string }>(
  'EXECUTION_FAILED',
  422,
  ({ model, reason }) => `The model ${model} could not run on this input: ${reason}`,
);
export const workerCrashed = defineError<{ model: string }>(
  'WORKER_CRASHED',
  503,
  ({ model }) => `The worker that ran ${model} died; the request may be repeated`,
);
export const circuitOpen = defineError<{ model: string; retryAfterMs: number }>(
  'CIRCUIT_OPEN',
  503,
  ({ model }) => `The model ${model} crashed its worker repeatedly and is resting`,
);
export const consumerStalled = defineError<{ stallMs: number }>(
  'CONSUMER_STALLED',
  408,
  ({ stallMs }) => `Nothing was read for ${stallMs} ms; the generation was given up`,
);
