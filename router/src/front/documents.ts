import { createHash } from 'node:crypto';
import { type DocumentNode, type GraphQLError, type GraphQLSchema, parse, validate } from 'graphql';
import { LRUCache } from 'lru-cache';
import { answers, type GuardName } from '../errors.ts';
import { type MeasuredOperation, measureDocument } from '../guards/document.ts';
import type { GuardPolicy } from '../guards/policy.ts';
import { hasMoreTokensThan } from '../guards/tokens.ts';

/** A document that was read, measured and validated once. */
export interface KnownDocument {
  readonly query: string;
  /** Names the document in logs without repeating what is in it. */
  readonly hash: string;
  readonly document: DocumentNode;
  readonly operations: readonly MeasuredOperation[];
  /** Guards it violates that only measure. */
  readonly violated: readonly GuardName[];
  readonly errors: readonly GraphQLError[];
}

export interface Documents {
  /** Throws a guard's refusal or GRAPHQL_PARSE_FAILED; validation errors are in the result. */
  read(query: string): KnownDocument;
}

/** Longest list of validation errors. */
const mostErrors = 5;

/** Remembers documents by their text, as many as fit into `cacheBytes` of it. */
export function documentReader(options: {
  readonly schema: GraphQLSchema;
  readonly policy: GuardPolicy;
  readonly cacheBytes?: number;
}): Documents {
  const { schema, policy, cacheBytes = 8 * 1024 * 1024 } = options;
  const known = new LRUCache<string, KnownDocument>({
    maxSize: cacheBytes,
    sizeCalculation: (_, query) => query.length + 200,
  });

  return {
    read(query) {
      const found = known.get(query);
      if (found !== undefined) {
        if (found.violated.length > 0) policy.demand(found.violated);
        return found;
      }
      if (hasMoreTokensThan(query, policy.limits.tokens)) policy.demand(['TOKENS']);
      const document = parsed(query);
      const { operations, violated } = measureDocument(document, policy.limits);
      policy.demand(violated);
      const errors = validate(schema, document, undefined, {
        maxErrors: mostErrors,
        hideSuggestions: !policy.isOff('INTROSPECTION_OFF'),
      });
      const hash = createHash('sha256').update(query).digest('hex').slice(0, 12);
      const entry = { query, hash, document, operations, violated, errors };
      if (errors.length === 0) known.set(query, entry);
      return entry;
    },
  };
}

function parsed(query: string): DocumentNode {
  try {
    return parse(query);
  } catch (error) {
    throw answers.PARSE_FAILED({}, error);
  }
}
