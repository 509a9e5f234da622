import type { Generated } from 'kysely';

/** The rows of `migrations.ts`, as Kysely sees them. */
export interface Tables {
  readonly views: ViewRow;
  readonly feature_values: FeatureValueRow;
  readonly view_writes: ViewWritesRow;
  readonly vector_indexes: VectorIndexRow;
  readonly vectors: VectorRow;
}

export type FeatureType = 'FLOAT' | 'INT' | 'STRING' | 'BOOLEAN' | 'VECTOR';
export type VectorMetric = 'COSINE' | 'L2' | 'INNER_PRODUCT';

export interface FeatureField {
  readonly name: string;
  readonly type: FeatureType;
  readonly default: unknown;
  readonly description: string;
}

export interface ViewRow {
  readonly tenant: string;
  readonly name: string;
  readonly version: number;
  readonly description: string;
  readonly entities: readonly string[];
  readonly fields: readonly FeatureField[];
  /** bigint: text. */
  readonly ttl_ms: string | null;
  readonly applied_by: string;
  readonly applied_at: Date;
}

export interface FeatureValueRow {
  readonly id: Generated<string>;
  readonly tenant: string;
  readonly view: string;
  /** Canonical JSON of the entity's names and ids. */
  readonly entity: string;
  readonly field: string;
  readonly at: Date;
  readonly written_at: Date;
  readonly value: unknown;
  /** bigint: text. */
  readonly write_number: Generated<string>;
}

/** How many writes a view has seen; whoever writes holds the row until it commits. */
export interface ViewWritesRow {
  readonly tenant: string;
  readonly view: string;
  /** bigint: text. */
  readonly number: string | number;
}

export interface VectorIndexRow {
  readonly id: Generated<number>;
  readonly tenant: string;
  readonly name: string;
  readonly dimensions: number;
  readonly metric: VectorMetric;
  readonly created_at: Date;
}

export interface VectorRow {
  readonly index_id: number;
  readonly tenant: string;
  readonly key: string;
  readonly embedding: string;
  readonly metadata: unknown;
}
