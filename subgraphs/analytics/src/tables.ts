import type { Generated } from 'kysely';
import type { Slice } from './serving/slice.ts';

/** The rows of `migrations.ts`, as Kysely sees them. */
export interface Tables {
  readonly processed: { readonly event_id: string; readonly at: Generated<Date> };
  readonly tenants: { readonly tenant: string };
  readonly slices: SliceRow;
  readonly usage_hours: UsageHourRow;
}

export interface SliceRow {
  readonly id: Generated<string>;
  readonly tenant: string;
  readonly model_id: string;
  readonly model: string;
  readonly version_id: string;
  readonly at: Date;
  readonly rolled_up: Generated<boolean>;
  readonly figures: SliceFigures;
}

export type SliceFigures = Omit<Slice, 'modelId' | 'model' | 'versionId' | 'at'>;

export interface UsageHourRow {
  readonly tenant: string;
  readonly principal_id: string;
  readonly hour: Date;
  readonly requests: string | number;
  readonly prompt_tokens: string | number;
  readonly completion_tokens: string | number;
  readonly compute_ms: number;
}
