import type { Datatype, DispatchReason, FinishReason } from '@opea/schema/runtime';
import type { GenerationTiming, TokenPiece } from './generation/live-generation.ts';

/** The rows of `migrations.ts`, as Kysely sees them. */
export interface Tables {
  readonly predictions: PredictionRow;
  readonly generations: GenerationRow;
}

export interface StoredTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly base64: string | null;
  readonly strings?: readonly string[];
}

export interface PredictionRow {
  readonly id: string;
  readonly tenant: string;
  readonly model_id: string;
  readonly version_id: string;
  readonly principal_id: string;
  readonly at: Date;
  /** Empty when the outputs were too large to keep. */
  readonly outputs: readonly StoredTensor[];
  readonly timing: {
    readonly queueMs: number;
    readonly computeMs: number;
    readonly totalMs: number;
  };
  readonly batch: {
    readonly size: number;
    readonly reason: DispatchReason;
    readonly executionId: string;
  };
  /** Ids of the FeatureVectors that the inputs were made from. */
  readonly features: readonly string[];
}

export interface GenerationRow {
  readonly id: string;
  readonly tenant: string;
  readonly model_id: string;
  readonly version_id: string;
  readonly principal_id: string;
  readonly at: Date;
  readonly state: 'FINISHED' | 'FAILED';
  readonly pieces: readonly TokenPiece[];
  readonly text: string;
  readonly finish_reason: FinishReason | null;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly timing: GenerationTiming | null;
}
