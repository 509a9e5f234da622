import { defineError } from '@opea/kernel/errors';

export const viewNotFound = defineError(
  'FEATURE_VIEW_NOT_FOUND',
  404,
  ({ view }: { view: string }) => `There is no feature view ${view}.`,
);

export const invalidView = defineError(
  'INVALID_FEATURE_VIEW',
  400,
  ({ problem }: { problem: string; field?: string }) => problem,
);

export const incompatibleView = defineError(
  'INCOMPATIBLE_FEATURE_VIEW',
  409,
  ({ problem }: { problem: string; field?: string }) => problem,
);

/** One row is wrong: none was written. */
export const invalidRow = defineError(
  'INVALID_FEATURE_ROW',
  400,
  ({ row, problem }: { row: number; problem: string }) => `Row ${row}: ${problem}`,
);

export const invalidEntity = defineError(
  'INVALID_ENTITY',
  400,
  ({ problem }: { problem: string }) => problem,
);

export const indexNotFound = defineError(
  'VECTOR_INDEX_NOT_FOUND',
  404,
  ({ index }: { index: string }) => `There is no vector index ${index}.`,
);

export const indexExists = defineError(
  'VECTOR_INDEX_EXISTS',
  409,
  ({ index }: { index: string }) =>
    `The vector index ${index} exists with other dimensions or another metric.`,
);

export const invalidVector = defineError(
  'INVALID_VECTOR',
  400,
  ({ problem }: { problem: string }) => problem,
);

export const notYetVisible = defineError(
  'NOT_YET_VISIBLE',
  503,
  (_: { retryAfterMs: number }) => 'That change is not visible here yet. Try again shortly.',
);
