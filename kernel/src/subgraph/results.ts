import type { ExecutionResult } from 'graphql';
import type { ErrorLog } from '../errors/index.ts';
import type { GraphRequest, GraphResult } from './graph-call.ts';
import { maskedFailure } from './masked-error.ts';

/** Turns what GraphQL gives, and what is thrown, into results that may leave. */
export interface ResultShaper {
  shaped(result: ExecutionResult): GraphResult;
  failed(error: unknown): GraphResult;
}

export function resultShaper(log: ErrorLog): ResultShaper {
  return {
    shaped: ({ data, errors, extensions }) => ({
      ...(data !== undefined && { data }),
      ...(errors && { errors: errors.map((error) => maskedFailure(error, log)) }),
      ...(extensions && { extensions }),
    }),
    failed: (error) => ({ errors: [maskedFailure(error, log)] }),
  };
}

/** A request's parameters as GraphQL's functions take them. */
export function parametersOf({ variables, operationName }: GraphRequest) {
  return { variableValues: variables ?? null, operationName: operationName ?? null };
}
