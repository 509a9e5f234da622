/** Bounds of one request. Counts are of the operation with its fragments expanded. */
export interface Limits {
  /** Bytes of a request body. */
  readonly bodyBytes: number;
  /** Milliseconds in which a body has to arrive. */
  readonly bodyMs: number;
  readonly headers: number;
  readonly tokens: number;
  /** Operations in one document. */
  readonly operations: number;
  /** Nested fields, introspection apart. */
  readonly depth: number;
  readonly aliases: number;
  readonly rootFields: number;
  readonly directives: number;
  /** Fields and spreads after every fragment is written out. */
  readonly selections: number;
  /** Pairs of fields that share a response key: what validation has to compare. */
  readonly repetitions: number;
  /** Nested fields below `__schema` and `__type`. */
  readonly introspectionDepth: number;
  /** Lists within lists below `__schema` and `__type`. */
  readonly introspectionLists: number;
  /** Objects the operation may return by its declared list sizes. */
  readonly cost: number;
  /** Bytes of the variables as JSON. */
  readonly variablesBytes: number;
  readonly variablesDepth: number;
}

export const defaultLimits: Limits = {
  bodyBytes: 256 * 1024,
  bodyMs: 10_000,
  headers: 100,
  tokens: 2_000,
  operations: 20,
  depth: 12,
  aliases: 15,
  rootFields: 10,
  directives: 10,
  selections: 5_000,
  repetitions: 20_000,
  introspectionDepth: 20,
  introspectionLists: 2,
  cost: 5_000,
  variablesBytes: 128 * 1024,
  variablesDepth: 20,
};
