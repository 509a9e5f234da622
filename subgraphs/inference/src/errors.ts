import { defineError } from '@opea/kernel/errors';

export const invalidInput = defineError(
  'INVALID_INPUT',
  400,
  ({ field, problem }: { field: string; problem: string }) => `${field}: ${problem}`,
);

export const ambiguousVersion = defineError(
  'AMBIGUOUS_VERSION',
  400,
  (_: Record<string, never>) => 'Name a version by `alias` or by `version`, not by both.',
);

export const generationNotFound = defineError(
  'GENERATION_NOT_FOUND',
  404,
  ({ generation }: { generation: string }) => `There is no generation ${generation}.`,
);

export const invalidCursor = defineError(
  'INVALID_CURSOR',
  400,
  (_: Record<string, never>) => 'This cursor was not given out by this field.',
);
