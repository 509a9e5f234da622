/** One operation, as it travels. */
export interface GraphRequest {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly operationName?: string;
}

export interface GraphFailure {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: Record<string, unknown>;
}

export interface GraphResult {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly GraphFailure[];
  readonly extensions?: Record<string, unknown>;
}

/** How it is asked: headers in lower case (the signed context among them), and when the caller stops waiting. */
export interface GraphCall {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** A subgraph as its callers see it, in this process or behind a network. */
export interface SubgraphEndpoint {
  execute(request: GraphRequest, call: GraphCall): Promise<GraphResult>;
  /** A request that cannot start yields one result with errors and ends. Returning from the iteration cancels. */
  subscribe(request: GraphRequest, call: GraphCall): Promise<AsyncIterable<GraphResult>>;
}
