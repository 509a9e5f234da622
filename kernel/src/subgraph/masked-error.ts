import { GraphQLError } from 'graphql';
import { type ErrorLog, maskError, toGraphQLError } from '../errors/index.ts';
import type { GraphFailure } from './graph-call.ts';

/** How any error of an operation leaves: codes of the catalogue as they are, the rest masked and logged once. */
export function maskedFailure(error: unknown, log: ErrorLog): GraphFailure {
  if (!(error instanceof GraphQLError)) return failureOf(toGraphQLError(maskError(error, log)));
  const root = rootOf(error);
  if (root === undefined) return ownFailure(error);
  const shown = toGraphQLError(maskError(root, log));
  return failureOf(
    new GraphQLError(shown.message, { path: error.path, extensions: shown.extensions }),
  );
}

/** An error GraphQL itself raised: the document or its variables are wrong, or a resolver broke its type's promise. */
function ownFailure(error: GraphQLError): GraphFailure {
  const code = error.extensions['code'] ?? (error.path ? 'INTERNAL_ERROR' : 'BAD_USER_INPUT');
  return failureOf(
    new GraphQLError(error.message, {
      path: error.path,
      extensions: { ...error.extensions, code },
    }),
  );
}

function failureOf(error: GraphQLError): GraphFailure {
  const { message, path, extensions } = error;
  return { message, ...(path && { path }), extensions: { ...extensions } };
}

/** What was thrown by code outside of GraphQL, which wraps it once or twice; `undefined` when GraphQL found the mistake itself. */
function rootOf(error: GraphQLError): unknown {
  let root: unknown = error;
  while (root instanceof GraphQLError) root = root.originalError;
  return root ?? undefined;
}
