/** What is fetched from where, and in which order. Planners differ; this is what they agree on. */
export type PlanNode = SequenceNode | ParallelNode | ConditionNode | FetchNode;

export interface SequenceNode {
  readonly kind: 'sequence';
  readonly nodes: readonly PlanNode[];
}

export interface ParallelNode {
  readonly kind: 'parallel';
  readonly nodes: readonly PlanNode[];
}

/** Runs one of two parts by the value of a Boolean variable. */
export interface ConditionNode {
  readonly kind: 'condition';
  readonly variable: string;
  readonly whenTrue: PlanNode | undefined;
  readonly whenFalse: PlanNode | undefined;
}

/** One request to one subgraph: root fields, or parts of entities that are already known. */
export interface FetchNode {
  readonly kind: 'fetch';
  readonly subgraph: string;
  readonly operationKind: 'query' | 'mutation' | 'subscription';
  readonly operation: string;
  readonly operationName: string | undefined;
  readonly variables: readonly string[];
  /** Empty for root fields. */
  readonly lookups: readonly EntityLookup[];
  /** Applied to the answer of root fields. */
  readonly outputRewrites: readonly Rewrite[];
}

/** One `_entities` of a fetch: where the entities lie, how they are represented. */
export interface EntityLookup {
  readonly alias: string;
  readonly variable: string;
  readonly paths: readonly (readonly PathStep[])[];
  readonly requires: readonly RequiredSelection[];
  readonly inputRewrites: readonly Rewrite[];
  readonly outputRewrites: readonly Rewrite[];
}

/** A step down the joined data: a key, into every element of a list, or past a type condition. */
export type PathStep =
  | { readonly key: string }
  | { readonly types: readonly string[] }
  | { readonly each: true };

export type RequiredSelection =
  | {
      readonly kind: 'field';
      /** Where the value lies in the joined data. */
      readonly source: string;
      /** What the subgraph calls it. */
      readonly target: string;
      readonly selections: readonly RequiredSelection[];
    }
  | {
      readonly kind: 'fragment';
      readonly type: string | undefined;
      readonly selections: readonly RequiredSelection[];
    };

export interface Rewrite {
  readonly path: readonly RewriteStep[];
  readonly change: { readonly setTo: unknown } | { readonly renameTo: string };
}

export type RewriteStep = { readonly key: string } | { readonly types: readonly string[] };

/** A plan for one canonical operation. */
export interface QueryPlan {
  /** Only for subscriptions: what the source of events is asked. */
  readonly primary: FetchNode | undefined;
  /** The whole of a query, the rest of a subscription per event; undefined when there is none. */
  readonly node: PlanNode | undefined;
}
