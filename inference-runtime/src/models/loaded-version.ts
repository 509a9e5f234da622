import type { ModelFile } from '../engines/engine.ts';
import type { Generator } from '../generation/index.ts';
import type { TensorModel } from '../predicting/tensor-model.ts';
import type { CataloguedVersion } from './catalogue.ts';

/** A version that is in memory and has run once. */
export type LoadedVersion = {
  /** Resident size, bytes. */
  readonly bytes: number;
} & (
  | { readonly kind: 'TENSOR'; readonly model: TensorModel }
  | { readonly kind: 'DECODER'; readonly model: Generator }
);

/** Brings a version whose files are on this node into memory, warm. */
export type LoadVersion = (
  version: CataloguedVersion,
  files: readonly ModelFile[],
  signal: AbortSignal,
) => Promise<LoadedVersion>;

/** `digits@3` */
export function labelOf({ model, number }: Pick<CataloguedVersion, 'model' | 'number'>): string {
  return `${model}@${number}`;
}
