import type { VersionPublished } from './model-facts.ts';

/** A model as resolvers pass it on; `asOf` is the instant that everything below it is read at, now when undefined. */
export interface ModelSource {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly ownerId: string;
  readonly createdAt: Date;
  readonly asOf: Date | undefined;
}

export interface VersionSource {
  readonly id: string;
  readonly modelId: string;
  readonly number: number;
  readonly kind: VersionPublished['kind'];
  readonly state: 'PUBLISHED' | 'RETIRED';
  readonly description: string;
  readonly files: VersionPublished['files'];
  readonly signature: VersionPublished['signature'];
  readonly features: VersionPublished['features'];
  readonly parentIds: VersionPublished['parents'];
  readonly lineage: VersionPublished['lineage'] | null;
  readonly publishedBy: string;
  readonly publishedAt: Date;
  readonly asOf: Date | undefined;
}

export interface AliasSource {
  readonly name: string;
  readonly modelId: string;
  readonly versionId: string;
  readonly movedAt: Date;
  readonly movedBy: string;
  readonly asOf: Date | undefined;
}

/** One event of a model's stream. */
export interface HistorySource {
  readonly id: string;
  readonly type: string;
  readonly at: Date;
  readonly actor: string;
  readonly sequence: number;
  readonly data: unknown;
}

export type FileSource = VersionSource['files'][number];
export type TensorSource = VersionSource['signature']['inputs'][number];
