import type { DocumentNode, GraphQLSchema } from 'graphql';

/** The federated graph behind the front: planned, fetched, joined and shaped. */
export interface Graph extends AsyncDisposable {
  /** What clients may ask for: the supergraph without the machinery of federation. */
  readonly apiSchema: GraphQLSchema;
  /** Answers a query or a mutation. Failures of subgraphs are in `errors`, masked. */
  execute(request: GraphOperation): Promise<GraphAnswer>;
  /**
   * Opens a subscription. Aborting `signal` or calling `return()` reaches the source at once.
   * Rejects, or ends after one answer with `errors`, when the source refuses.
   */
  subscribe(request: GraphOperation): Promise<AsyncIterable<GraphAnswer>>;
}

/** One operation that passed the guards and fits `apiSchema`. */
export interface GraphOperation {
  readonly document: DocumentNode;
  /** The source of `document`: the key under which plans are cached. */
  readonly query: string;
  readonly operationName: string | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
  /** Headers for a call to that subgraph: the signed context, trace and correlation. */
  readonly headersFor: (subgraph: string) => Promise<Readonly<Record<string, string>>>;
  readonly signal: AbortSignal;
}

export interface GraphAnswer {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly GraphAnswerError[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

export interface GraphAnswerError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly locations?: readonly { readonly line: number; readonly column: number }[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}
