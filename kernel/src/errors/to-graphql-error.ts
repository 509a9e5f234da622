import { GraphQLError } from 'graphql';
import type { PlatformError } from './platform-error.ts';

/** How an error of the catalogue leaves through the graph: `extensions {code, details, retryAfterMs}`. */
export function toGraphQLError(error: PlatformError): GraphQLError {
  const { retryAfterMs, ...details } = error.details;
  return new GraphQLError(error.message, {
    originalError: error,
    extensions: {
      code: error.kind.code,
      ...(Object.keys(details).length > 0 && { details }),
      ...(typeof retryAfterMs === 'number' && { retryAfterMs }),
    },
  });
}
