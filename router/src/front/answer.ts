import type { PlatformError } from '@opea/kernel/errors';
import { GraphQLError } from 'graphql';
import type { GraphAnswer, GraphAnswerError } from '../graph.ts';
import { RequestErrors } from './admission.ts';

/** A refusal as the body of an answer. */
export function refusalBody(error: PlatformError): {
  readonly errors: readonly GraphAnswerError[];
} {
  const { retryAfterMs, errorId } = error.details;
  const extensions = {
    code: error.kind.code,
    ...(typeof retryAfterMs === 'number' && { retryAfterMs }),
    ...(typeof errorId === 'string' && { errorId }),
  };
  const reasons = error instanceof RequestErrors ? error.reasons : [];
  if (reasons.length === 0) return { errors: [{ message: error.message, extensions }] };
  return {
    errors: reasons.map((reason) => ({
      message: reason.message,
      ...(reason.locations && { locations: reason.locations }),
      extensions,
    })),
  };
}

/** An answer of the graph as text, with the members in the order of the specification. */
export function answerText(answer: GraphAnswer): string {
  const { data, errors, extensions } = answer;
  return JSON.stringify({
    ...(errors !== undefined && errors.length > 0 && { errors: errors.map(plainError) }),
    ...(data !== undefined && { data }),
    ...(extensions !== undefined && { extensions }),
  });
}

function plainError(error: GraphAnswerError): GraphAnswerError {
  return error instanceof GraphQLError ? error.toJSON() : error;
}
